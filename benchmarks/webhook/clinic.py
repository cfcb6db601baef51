"""The clinic that is called: as many practitioners as there are clients at most, and a patient on file for every conversation."""

from datetime import date, datetime

from benchmarks.webhook.clients import CLINIC_NUMBER, SURNAMES, patient_number
from booking.clinic_file import import_clinic, parse
from booking.model.clinic import Clinic
from booking.patients import register_patient
from kernel.work import Database, UnitOfWork

NOW = datetime.fromisoformat("2027-03-08T06:00:00-05:00")  # a Monday, before they open
_GIVEN = ("Alice", "Bruno", "Carla", "David", "Elena", "Frank", "Grace", "Hugo", "Irene", "Jonas", "Karen", "Leo")
_FAMILY = (
    "Miller",
    "Garcia",
    "Cohen",
    "Nakamura",
    "Rossi",
    "Andersson",
    "Silva",
    "Dubois",
    "Walker",
    "Keller",
    "Reyes",
)

_FILE = f"""
clinic: {{key: bench, name: Bench Street Clinic, timezone: America/New_York, country: US, languages: [en, es], phone: "{CLINIC_NUMBER}", transfer_to: "+15185550199"}}
rules: {{minimum_notice: 2h, maximum_advance: 180d, step: 15m, hold: 5m}}
locations:
  - {{key: main, name: Bench Street, aliases: [downtown], address: "1 Bench Street, Albany", parking: "There is free parking behind the building.", hours: {{mon-sat: ["07:00-20:00"]}}}}
services:
  - {{key: checkup, name: General check-up, aliases: [checkup, physical], category: medical, duration: 30m, price: "110.00 USD", reasons: [health check]}}
  - {{key: flu-shot, name: Flu shot, aliases: [vaccination, flu jab], category: medical, duration: 15m, price: "40.00 USD"}}
  - {{key: sick, name: Sick visit, aliases: [same-day visit], category: medical, duration: 15m, price: "85.00 USD", reasons: [cold, fever, cough, sore throat, rash]}}
  - {{key: blood, name: Blood test, aliases: [blood work, lab work], category: medical, duration: 15m, price: "30.00 USD"}}
  - {{key: cleaning, name: Dental cleaning, aliases: [cleaning, teeth cleaning], category: dental, duration: 45m, price: "95.00 USD"}}
  - {{key: physio, name: Physiotherapy, aliases: [physical therapy], category: physio, duration: 45m, price: "90.00 USD", reasons: [back pain, stiff neck]}}
answers:
  - {{topic: insurance, text: "We take Aetna, Cigna and Medicare.", phrases: [what insurance do you take, do you accept medicare]}}
practitioners:
"""


def make_clinic(database: Database, *, patients: int) -> None:
    """Write it, with that many patients."""
    people = "".join(
        f"  - {{key: {name.lower()}, name: Dr. {name}, services: [checkup, flu-shot, sick, blood, cleaning, physio],"
        f' schedules: [{{location: main, hours: {{mon-sat: ["07:00-20:00"]}}}}]}}\n'
        for name in SURNAMES
    )

    def write(work: UnitOfWork) -> None:
        import_clinic(work, parse(_FILE + people, path="the benchmark's clinic"), now=NOW)
        clinic = work.session.query(Clinic).one()
        for number in range(patients):
            register_patient(
                work,
                clinic_id=clinic.id,
                name=f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number % len(_FAMILY)]}",
                birth_date=date(1960 + number % 45, 1 + number % 12, 1 + number % 28),
                phone=patient_number(number),
                language="en",
                now=NOW,
            )

    database.run(write)
