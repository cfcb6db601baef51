"""Booking: what for, with whom, when; held, read back, and written only on a yes."""

from booking.values import AppointmentStatus, ServiceInfo
from dialog.acts import Say
from dialog.commands import Relation
from dialog.draft import Draft, present
from dialog.errands import ConfirmHold, RefusedBy, RegisterPatient, VisitWritten
from dialog.flows import beside, births, identity, last_time, mail_address, offering, recent
from dialog.interpreter import Asked
from dialog.state import Choice, Outcome


def advance(draft: Draft) -> None:
    """Ask for the next thing that is missing, or request the next step."""
    service = settled_service(draft) if last_time.is_known(draft) else None
    if service is None or not is_person_settled(draft, service):
        return
    if not offering.is_held(draft, service) or not identity.is_resolved_for_booking(draft):
        return
    flow = draft.flow
    if not flow.agreed:
        read_back(draft)
        return
    if flow.patient_id is None:
        who = identity.person(draft)
        draft.request = RegisterPatient(
            name=present(who.name),
            birth_date=who.birth_date,
            phone=draft.phone(),
            booked_by=_booker(draft),
            relation=flow.details.relation,
            is_doubtful=flow.is_doubted and who.birth_date is not None,
            language=draft.state.language,
        )
        return
    hold = present(flow.hold)
    draft.request = ConfirmHold(hold.id, flow.patient_id, bundle_id=hold.bundle_id, seat_id=flow.seat_id)


def settled_service(draft: Draft) -> ServiceInfo | None:
    """Return the service that is wanted, or None after asking for it."""
    _take_up_called_off(draft)
    details = draft.flow.details
    keys = details.service_keys
    if len(keys) > 1:
        keys = _offered_by_wanted(draft, keys)
        draft.update_details(service_keys=keys)
    if len(keys) == 1:
        return draft.service(keys[0])
    if keys:
        draft.ask(
            Say.ASK_WHICH_SERVICE,
            Asked.SERVICE,
            choices=tuple(Choice(key) for key in keys[:4]),
            services=[draft.service(key).id for key in keys[:4]],
        )
        return None
    popular = [one.id for one in draft.catalogue.services[:5]]
    draft.ask(Say.ASK_SERVICE, Asked.SERVICE, services=popular)
    return None


def _take_up_called_off(draft: Draft) -> None:
    """Take "another one the week after" as the same visit, with the same person, as the one just cancelled."""
    details, gone = draft.flow.details, draft.state.called_off
    refers_to_it = details.wish is not None and details.wish.relative is not None and not draft.flow.anchor
    if gone is None or not refers_to_it or details.service_keys or details.relation is not Relation.SELF:
        return
    service = next((one for one in draft.catalogue.services if one.id == gone.service_id), None)
    if service is None:
        return
    same = tuple(one.key for one in draft.able(service) if one.id == gone.practitioner_id)
    draft.update_details(service_keys=(service.key,), practitioner_keys=details.practitioner_keys or same)
    draft.update_flow(anchor=(gone.starts_at,))


def is_person_settled(draft: Draft, service: ServiceInfo) -> bool:
    """Settle whom they want to see, as far as they care. True when nothing about it is left to ask."""
    details = draft.flow.details
    able = draft.able(service)
    if details.unknown_practitioner is not None:
        draft.say(
            Say.NO_SUCH_PRACTITIONER,
            said=details.unknown_practitioner,
            service=service.id,
            practitioners=[one.id for one in able],
        )
        draft.update_details(unknown_practitioner=None)
        if len(able) > 1:
            draft.ask(Say.ASK_PRACTITIONER, Asked.PRACTITIONER, practitioners=[one.id for one in able])
            return False
    if not last_time.is_known(draft):
        return False
    named = draft.practitioners(draft.flow.details.practitioner_keys)
    offering_it = [one for one in named if one in able]
    if named and not offering_it:
        draft.say(
            Say.NOT_OFFERED_BY,
            practitioner=named[0].id,
            service=service.id,
            practitioners=[one.id for one in able],
        )
        draft.update_details(practitioner_keys=())
        return True
    if len(offering_it) > 1:
        draft.ask(
            Say.ASK_WHICH_PRACTITIONER,
            Asked.PRACTITIONER,
            choices=tuple(Choice(one.key) for one in offering_it),
            practitioners=[one.id for one in offering_it],
        )
        return False
    if named and len(offering_it) < len(named):
        draft.update_details(practitioner_keys=(offering_it[0].key,))
    _tell_when_nobody_is_like_that(draft, service)
    return True


def read_back(draft: Draft) -> None:
    """Say everything that is about to be booked, and ask for the yes."""
    hold = present(draft.flow.hold)
    who = identity.person(draft)
    draft.ask(
        Say.READ_BACK,
        Asked.YES_NO,
        choices=offering.choices_beside(draft),
        service=hold.service_id,
        practitioner=hold.practitioner_id,
        location=hold.location_id,
        starts_at=hold.starts_at.isoformat(),
        name=who.name,
        by_number=who.name is None,
        born=births.to_read_back(draft, who),
    )


def take_confirmation(draft: Draft, written: VisitWritten) -> None:
    """Tell of the committed row: booked, or with the staff for their yes."""
    visit = written.visit
    waits = visit.status is not AppointmentStatus.BOOKED
    draft.say(
        Say.REQUESTED if waits else Say.BOOKED,
        service=visit.service_id,
        practitioner=visit.practitioner_id,
        location=visit.location_id,
        starts_at=visit.starts_at.isoformat(),
    )
    draft.update(served_id=visit.patient_id, told=(), called_off=None)
    service = draft.catalogue.service(visit.service_id)
    for preparation in dict.fromkeys(one.preparation for one in (service, *draft.steps(service))):
        if preparation:
            draft.say(Say.PREPARATION_NOTE, text=preparation)
    done = draft.flow
    who = identity.person(draft)
    recent.note(draft, visit)
    draft.finish(Outcome.BOOKED)
    mail_address.hint(draft)
    beside.take_up_next(draft, visit, done)
    mail_address.keep_with_visit(draft, present(done.patient_id), is_proved=None not in (who.name, who.birth_date))


def take_confirm_refusal(draft: Draft, refusal: RefusedBy) -> None:
    """The yes came too late or breaks a rule: explain it, and go on to other times in the same turn."""
    if offering.holds_again(draft, refusal):
        return
    offering.take_hold_refusal(draft, refusal)


def _booker(draft: Draft) -> str | None:
    return draft.known_patient() if identity.is_for_another(draft) else None


def _offered_by_wanted(draft: Draft, keys: tuple[str, ...]) -> tuple[str, ...]:
    named = draft.practitioners(draft.flow.details.practitioner_keys)
    kept = tuple(key for key in keys if any(one in draft.able(draft.service(key)) for one in named))
    return kept or keys


def _tell_when_nobody_is_like_that(draft: Draft, service: ServiceInfo) -> None:
    details = draft.flow.details
    able = draft.able(service)
    misses_gender = details.gender and not any(one.gender == details.gender for one in able)
    misses_language = details.language and not any(details.language in one.languages for one in able)
    if misses_gender or misses_language:
        draft.say(Say.NOBODY_LIKE_THAT, service=service.id, practitioners=[one.id for one in able])
        draft.update_details(
            gender=None if misses_gender else details.gender, language=None if misses_language else details.language
        )
