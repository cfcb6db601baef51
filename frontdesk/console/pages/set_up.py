"""Setting the clinic up: everything in the clinic file on forms, the file itself in and out, and one's own hours."""

from flask import Blueprint, Response, g, render_template
from flask.typing import ResponseReturnValue

from booking.clinic_file import document_text
from booking.clinic_file.remarks import sentence
from frontdesk.console.services import ConsoleServices
from frontdesk.console.set_up.desk import SetUpDesk, field_word
from frontdesk.console.set_up.document import keys_of
from frontdesk.console.set_up.fields import GROUPS, OWN_HOURS, SINGLE

_GROUP = f"<any({', '.join(GROUPS)}):section>"
# A group alone is where a part is added to it. One rule for both: of two that differ only in their words, Flask builds the
# first for the other's.
_SECTION = f"<any({', '.join((*SINGLE, *GROUPS))}):section>"


def add_set_up_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add the pages of the set-up to the console."""
    desk = SetUpDesk(services.db)
    blueprint.add_app_template_global(field_word, "field_word")
    blueprint.add_app_template_global(lambda remark: sentence(remark, g.language), "sentence_of")

    @blueprint.get("/set-up")
    def set_up() -> ResponseReturnValue:
        document = desk.stored().document
        return render_template(
            "console/set_up.html", document=document, keys_of=keys_of, warnings=desk.said_of(document)
        )

    @blueprint.get(f"/set-up/{_SECTION}")
    @blueprint.get(f"/set-up/{_GROUP}/part/<path:key>")
    def set_up_part(section: str, key: str | None = None) -> ResponseReturnValue:
        return desk.form(section, key)

    @blueprint.post(f"/set-up/{_SECTION}")
    @blueprint.post(f"/set-up/{_GROUP}/part/<path:key>")
    def save_part(section: str, key: str | None = None) -> ResponseReturnValue:
        return desk.save(section, key)

    @blueprint.post(f"/set-up/{_GROUP}/remove/<path:key>")
    def remove_part(section: str, key: str) -> ResponseReturnValue:
        return desk.remove(section, key)

    @blueprint.get("/my-hours")
    def own_hours() -> ResponseReturnValue:
        return desk.form("practitioners", desk.own_key(), only=OWN_HOURS)

    @blueprint.post("/my-hours")
    def save_own_hours() -> ResponseReturnValue:
        return desk.save("practitioners", desk.own_key(), only=OWN_HOURS)

    _add_file_pages(blueprint, desk)


def _add_file_pages(blueprint: Blueprint, desk: SetUpDesk) -> None:
    @blueprint.get("/set-up/file")
    def clinic_file() -> ResponseReturnValue:
        return desk.file_form()

    @blueprint.get("/set-up/file/clinic.yaml")
    def export_file() -> ResponseReturnValue:
        document = desk.stored().document
        name = f"{document['clinic']['key']}.yaml"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(document_text(document), content_type="application/yaml", headers=headers)

    @blueprint.post("/set-up/file")
    def import_file() -> ResponseReturnValue:
        return desk.import_file()
