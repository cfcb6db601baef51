"""People who wait for one time with the dermatologist, which somebody else has."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from booking.cancel import cancel_appointment
from booking.catalogue import stored_rules
from booking.model.clinic import Clinic
from booking.patients import register_patient
from booking.values import BookedVisit, Catalogue, Offering, Source
from booking.waiting_list.waiting import Offered
from booking.waiting_list.waitlist import entries_of_patient, join_waitlist, offer_freed_time, offers_of_entries
from kernel.interval import Interval
from kernel.work import Database
from tests.support.visits import NOW, book

NINE = datetime(2027, 3, 17, 13, 0, tzinfo=UTC)  # a Wednesday, 9:00 in Troy
AT_NINE = Interval(NINE, NINE + timedelta(minutes=15))
HALF_PAST = NINE + timedelta(minutes=30)


@dataclass
class WaitingList:
    """The list of the clinic, with the steps that tests take."""

    database: Database
    catalogue: Catalogue

    def offering_to_all(self) -> "WaitingList":
        """Let the clinic offer time to everybody who waits for it."""
        rules = replace(self.catalogue.rules, waitlist=Offering.ALL)
        return self.with_rules(rules=rules)

    def with_rules(self, **changes: Any) -> "WaitingList":
        catalogue = replace(self.catalogue, **changes, _by_id={})
        with self.database.begin() as work:
            clinic = work.session.get_one(Clinic, catalogue.clinic_id)
            clinic.rules = stored_rules(vars(catalogue.rules))
            clinic.version += 1
        return replace(self, catalogue=catalogue)

    def patient(self, name: str = "Ann Smith", *, phone: str = "+12125550123", booked_by: str | None = None) -> str:
        with self.database.begin() as work:
            patient = register_patient(
                work,
                clinic_id=self.catalogue.clinic_id,
                name=name,
                birth_date=date(1984, 5, 2),
                phone=phone,
                language="en",
                now=NOW,
                booked_by=booked_by,
            )
        return str(patient.id)

    def taken(self, starts_at: datetime = NINE, *, practitioner: str = "carter") -> BookedVisit:
        """Let somebody have the time."""
        return book(
            self.database,
            self.catalogue,
            service="skin-check",
            practitioner=practitioner,
            location="riverside",
            starts_at=starts_at,
            phone="+12125550999",
        )

    def join(self, patient_id: str, *, now: datetime = NOW, **wish: Any) -> str:
        wish = {"spans": (AT_NINE,), "service_id": "service-skin-check", "source": Source.SMS} | wish
        with self.database.begin() as work:
            return join_waitlist(work, self.catalogue, patient_id=patient_id, conversation_id=None, now=now, **wish)

    def free(self, visit: BookedVisit, *, now: datetime = NOW) -> None:
        with self.database.begin() as work:
            cancel_appointment(
                work,
                self.catalogue,
                appointment_id=visit.id,
                reason="ill",
                now=now,
                actor="patient",
                source=Source.SMS,
            )

    def offer(self, *, now: datetime = NOW) -> list[str]:
        return self.database.run(lambda work: offer_freed_time(work, self.catalogue, now=now))

    def of(self, patient_id: str, *, now: datetime = NOW) -> list[Offered]:
        """Return what was offered to the patient for what they wait for."""
        with self.database.read() as session:
            entries = entries_of_patient(session, clinic_id=self.catalogue.clinic_id, patient_id=patient_id, now=now)
            found = offers_of_entries(session, entry_ids=[entry.id for entry in entries])
        return [offer for entry in entries for offer in found[entry.id]]
