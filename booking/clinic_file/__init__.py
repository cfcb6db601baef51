"""The clinic file: one YAML or JSON file that describes a clinic. Read, checked, brought into the database, written out."""

from booking.clinic_file.exporting import clinic_document, document_text, export_clinic
from booking.clinic_file.importing import ImportReport, import_clinic
from booking.clinic_file.reading import ClinicFileError, UnusableDocument, check, parse
from booking.clinic_file.schema import ClinicFile, json_schema

__all__ = [
    "ClinicFile",
    "ClinicFileError",
    "ImportReport",
    "UnusableDocument",
    "check",
    "clinic_document",
    "document_text",
    "export_clinic",
    "import_clinic",
    "json_schema",
    "parse",
]
