"""A whole product for one conversation: a clinic from a file, a database of its own, a clock that is moved by hand."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import load_catalogue
from booking.clinic_file import ClinicFile, ClinicFileError, UnusableDocument, check, import_clinic, parse
from booking.confirm import confirm_hold
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic
from booking.model.patient import Patient
from booking.model.staff import Practitioner
from booking.patients import register_patient
from booking.values import AppointmentStatus, Catalogue, LocationInfo, Source
from dialog.interpreter import Interpreter
from frontdesk.bootstrap import STAGE_SECRET, Services, build_in_process
from frontdesk.channels import channels_app
from frontdesk.listing import id_of
from frontdesk.opening import BadOpening, Opening, free_elsewhere, set_up, take_elsewhere
from frontdesk.patient_line import CallLine, ChatLine, Line, TextLine
from frontdesk.schema import make_tables
from jobs.due import run_due
from jobs.outbox_relay import relay_once
from jobs.subscriptions import SUBSCRIBERS
from kernel.config import ModelSettings
from kernel.errors import Refused
from kernel.interval import told_instant
from kernel.telephony import TwilioAccount
from kernel.work import UnitOfWork

_ACTOR = "staff:script"
_SO_IT_IS_WRITTEN = "so it is written"  # why rules are set aside: what staff did is told, not asked
_ACCOUNT = TwilioAccount(sid="AC" + "0" * 32, auth_tokens=("the seal of a stage",), is_real=False)


class BadScript(Exception):
    """A script or its clinic cannot be read or played. The text is one line."""


class NotToBeHad(BadScript):
    """The time that somebody else should take is taken, or the visit that should be given back does not stand."""


class Stage:
    """Where a conversation is played. Close it when it is over; nothing is kept."""

    def __init__(
        self,
        *,
        clinic: str | Mapping[str, Any],
        path: str,
        now: datetime,
        channel: str,
        caller: str,
        data_dir: Path,
        model: ModelSettings | None = None,
        interpreter: Interpreter | None = None,
        secret_key: str = STAGE_SECRET,
    ) -> None:
        """`clinic` is a clinic file's text or its document; `path` is what errors call it.

        The keys of encrypted columns are the process's: where it works with another database too, `secret_key` is that one's.
        """
        self.services, self._clock = build_in_process(
            data_dir=data_dir, account=_ACCOUNT, now=now, model=model, interpreter=interpreter, secret_key=secret_key
        )
        make_tables(self.services.db.engine)
        self.clinic_id, number = _import(self.services, read_clinic(clinic, path=path), path, now)
        self._app = channels_app(self.services)
        self._caller, self._number = caller, number
        self.channel = channel
        self.line = self.new_line(channel)
        self._takers = 0

    def new_line(self, channel: str) -> Line:
        """Give the patient a way to the clinic: texting or chatting with it, or a call that has not rung yet."""
        if channel == "web":
            return ChatLine(self.services, clinic_id=self.clinic_id)
        make_line = CallLine if channel == "voice" else TextLine
        return make_line(self.services, self._app, caller=self._caller, clinic_number=self._number)

    def wait(self, length: timedelta) -> None:
        """Let time pass, with what a worker does in it."""
        self._clock.advance(length)
        self.work()

    def work(self) -> None:
        """Do what a worker would have done by now."""
        now = self._clock.now()
        run_due(self.services.jobs, now=now)
        while relay_once(self.services.db, self.services.queue, subscribers=SUBSCRIBERS, now=now):
            pass

    def take(self, visit: dict[str, Any]) -> None:
        """Let somebody else, or the `patient` of that key, book `service`, `practitioner`, `start` (and `location`).

        Raises NotToBeHad.
        """
        with self.services.db.read() as session:
            catalogue = load_catalogue(session, clinic_id=self.clinic_id)
        self._takers += 1
        refusals = []
        for location in _places(catalogue, visit):
            try:
                self._book_for_another(catalogue, visit, location)
            except Refused as refusal:
                refusals.append(refusal.code)
            else:
                return
        raise NotToBeHad(f"take {visit!r}: {', '.join(refusals) or 'no such location'}")

    def give_back(self, visit: dict[str, Any]) -> None:
        """Let staff call off what stands at `practitioner`, `start` (and `location`). Raises NotToBeHad."""
        with self.services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=self.clinic_id)
            found = work.session.scalar(
                select(Appointment.id)
                .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
                .where(
                    Practitioner.key == visit.get("practitioner"),
                    Appointment.starts_at.in_([_start(visit, location) for location in _places(catalogue, visit)]),
                    Appointment.status == AppointmentStatus.BOOKED,
                )
            )
            if found is None:
                raise NotToBeHad(f"give_back {visit!r}: there is no such visit")
            cancel_appointment(
                work, catalogue, appointment_id=found, reason=None, now=self._clock.now(), actor=_ACTOR,
                source=Source.STAFF,
            )  # fmt: skip

    def take_elsewhere(self, time: Mapping[str, Any]) -> None:
        """Let a `practitioner`'s own calendar take the time from `start` to `end`. Raises BadScript."""
        self._set_up(partial(take_elsewhere, parts=[time]))

    def free_elsewhere(self, time: Mapping[str, Any]) -> None:
        """Let a `practitioner`'s own calendar give back the time from `start` to `end`. Raises BadScript."""
        self._set_up(partial(free_elsewhere, part=time))

    def change_clinic(self, clinic: Mapping[str, Any]) -> None:
        """Let the clinic be as another file says from now on. Raises BadScript."""
        file, now = read_clinic(clinic, path="clinic"), self._clock.now()
        self.services.db.run(lambda work: import_clinic(work, file, now=now))

    def open(self, opening: Opening) -> None:
        """Bring in what stood when the conversation began. Raises BadScript."""
        self._set_up(partial(set_up, opening=opening, caller=self._caller))

    def close(self) -> None:
        self.services.close()

    def _set_up(self, step: Callable[..., None]) -> None:
        with self.services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=self.clinic_id)
            try:
                step(work, catalogue, now=self._clock.now())
            except BadOpening as fault:
                raise BadScript(str(fault)) from None

    def _book_for_another(self, catalogue: Catalogue, visit: dict[str, Any], location: LocationInfo) -> None:
        now, start = self._clock.now(), _start(visit, location)
        with self.services.db.begin() as work:
            patient_id = self._known(work, visit["patient"]) if "patient" in visit else self._stranger(work, now)
            hold = place_hold(
                work, catalogue,
                service_id=id_of(catalogue.services, str(visit.get("service"))),
                location_id=location.id,
                starts_at=start,
                practitioner_ids=(id_of(catalogue.practitioners, str(visit.get("practitioner"))),),
                conversation_id=None,
                patient_id=patient_id,
                source=Source.STAFF,
                now=now, actor=_ACTOR, override_reason=_SO_IT_IS_WRITTEN,
            )  # fmt: skip
            confirm_hold(
                work, catalogue, appointment_id=hold.id, patient_id=patient_id, now=now, actor=_ACTOR,
                override_reason=_SO_IT_IS_WRITTEN,
            )  # fmt: skip

    def _known(self, work: UnitOfWork, key: str) -> str:
        found = work.session.scalar(select(Patient.id).where(Patient.clinic_id == self.clinic_id, Patient.key == key))
        if found is None:
            raise BadScript(f"take: the clinic has no patient {key!r}")
        return found

    def _stranger(self, work: UnitOfWork, now: datetime) -> str:
        made = register_patient(
            work, clinic_id=self.clinic_id, name=f"Somebody Else {self._takers}", birth_date=None, phone=None,
            language="en", now=now,
        )  # fmt: skip
        return made.id


def read_clinic(clinic: str | Mapping[str, Any], *, path: str) -> ClinicFile:
    """Read a clinic file, given as its text or as its document. Raises BadScript with the first thing that is wrong."""
    try:
        return parse(clinic, path=path) if isinstance(clinic, str) else check(clinic)
    except (ClinicFileError, UnusableDocument) as error:
        raise BadScript(str(error).splitlines()[0]) from None


def _import(services: Services, file: ClinicFile, path: str, now: datetime) -> tuple[str, str]:
    """Load the clinic and return its id and number."""
    services.db.run(lambda work: import_clinic(work, file, now=now))
    with services.db.read() as session:
        clinic = session.scalars(select(Clinic)).one()
        if clinic.phone is None:
            raise BadScript(f"{path}: the clinic has no phone number that could be called")
        return clinic.id, clinic.phone


def _places(catalogue: Catalogue, visit: Mapping[str, Any]) -> list[LocationInfo]:
    """Return where a step's visit may be: at its location, or anywhere."""
    return [each for each in catalogue.locations if visit.get("location", each.key) == each.key]


def _start(visit: Mapping[str, Any], location: LocationInfo) -> datetime:
    try:
        return told_instant(datetime.fromisoformat(str(visit.get("start"))), location.zone)
    except ValueError:
        raise BadScript(f"start must be a time like 2027-03-15T09:00, in {dict(visit)!r}") from None
