"""Questions about the clinic, answered from its own data only. What it does not know is offered to the staff, never guessed."""

from dataclasses import dataclass, replace
from datetime import date

from rapidfuzz import fuzz, utils

from booking.values import Answer, Catalogue, LocationInfo, PractitionerInfo, ServiceInfo
from dialog import hours
from dialog.acts import Say
from dialog.commands import AskClinic, Topic
from dialog.draft import Draft
from dialog.interpreter import Asked
from dialog.languages import language_named
from dialog.state import Outcome

_CLOSE_MATCH = 88.0
_LISTED = 8


@dataclass(frozen=True)
class Subject:
    """What else was named in the question."""

    service: ServiceInfo | None = None
    services: tuple[ServiceInfo, ...] = ()  # all that may have been meant: a "dentist" gives many
    practitioner: PractitionerInfo | None = None
    location: LocationInfo | None = None
    day: date | None = None
    language: str | None = None


def answer(draft: Draft, question: AskClinic, subject: Subject) -> None:
    """Answer from the clinic's own words where they fit, else from its data, else offer to pass the question on."""
    draft.note_outcome(Outcome.INFORMED)
    own = own_words(draft.catalogue, question.text)
    if own is not None:
        draft.say(Say.CLINIC_ANSWER, text=own.text)
        return
    if question.topic is Topic.LANGUAGES and subject.language is None:
        subject = replace(subject, language=language_named(question.text))
    teller = _TELLERS.get(question.topic)
    if teller is not None and teller(draft, subject):
        return
    by_topic = [
        one for one in draft.catalogue.answers if one.topic == question.topic and question.topic is not Topic.OTHER
    ]
    if by_topic:
        draft.say(Say.CLINIC_ANSWER, text=by_topic[0].text)
        return
    _offer_to_pass_on(draft, question)


def own_words(catalogue: Catalogue, question: str) -> Answer | None:
    """Return the clinic's own answer whose way of asking comes closest to `question`, if any comes close."""
    text = utils.default_process(question)
    best: tuple[float, Answer] | None = None
    for one in catalogue.answers:
        for phrase in one.phrases:
            said = utils.default_process(phrase)
            score = fuzz.token_set_ratio(text, said) if len(said.split()) > 1 else 100.0 * (said in text.split())
            if text and score >= _CLOSE_MATCH and (best is None or score > best[0]):
                best = (score, one)
    return best[1] if best else None


def _offer_to_pass_on(draft: Draft, question: AskClinic) -> None:
    draft.say(Say.NO_ANSWER)
    if draft.state.flow is None:
        draft.update(pending_note=question.text or "A question the agent could not answer.")
        draft.ask(Say.OFFER_MESSAGE, Asked.YES_NO)


def _hours(draft: Draft, subject: Subject) -> bool:
    places = _places(draft, subject)
    if subject.day is not None:
        draft.say(Say.HOURS_ON, day=subject.day.isoformat(), locations=places)
    else:
        draft.say(Say.HOURS, locations=places)
    return True


def _address(draft: Draft, subject: Subject) -> bool:
    draft.say(Say.ADDRESS, locations=_places(draft, subject))
    return True


def _parking(draft: Draft, subject: Subject) -> bool:
    places = [one for one in _places(draft, subject) if draft.catalogue.location(one).parking]
    if places:
        draft.say(Say.PARKING, locations=places)
    return bool(places)


def _price(draft: Draft, subject: Subject) -> bool:
    if subject.service is None:
        draft.say(Say.WHICH_SERVICE_ASKED)
    elif subject.service.price is None:
        draft.say(Say.PRICE_UNKNOWN, service=subject.service.id)
    else:
        draft.say(Say.PRICE, service=subject.service.id)
    return True


def _services(draft: Draft, subject: Subject) -> bool:
    if subject.service is not None:
        draft.say(Say.SERVICE_OFFERED, service=subject.service.id)
    else:
        known = draft.catalogue.services
        draft.say(Say.SERVICES, services=[one.id for one in known[:_LISTED]], more=len(known) > _LISTED)
    return True


def _practitioners(draft: Draft, subject: Subject) -> bool:
    if subject.practitioner is not None:
        return _works_when(draft, subject)
    if subject.service is not None:
        people = [one.id for one in draft.able(subject.service)]
        draft.say(Say.WHO_OFFERS, service=subject.service.id, practitioners=people)
    else:
        draft.say(Say.PRACTITIONERS, practitioners=[one.id for one in draft.catalogue.practitioners[:_LISTED]])
    return True


def _works_when(draft: Draft, subject: Subject) -> bool:
    if subject.practitioner is None and subject.day is not None:
        people = draft.able(subject.service) if subject.service else draft.catalogue.practitioners
        working = [one.id for one in people if _is_in(draft, one, subject.day)]
        draft.say(Say.WORKING_ON, day=subject.day.isoformat(), practitioners=working)
        return True
    if subject.practitioner is None:
        return _practitioners(draft, subject)
    person, day = subject.practitioner, subject.day
    if day is None:
        draft.say(Say.WORKS_WHEN, practitioner=person.id)
    elif _is_in(draft, person, day):
        draft.say(Say.WORKS_ON, practitioner=person.id, day=day.isoformat(), on=day.isoformat())
    else:
        draft.say(Say.NOT_IN_ON, practitioner=person.id, day=day.isoformat())
    return True


def _is_in(draft: Draft, person: PractitionerInfo, day: date) -> bool:
    return any(hours.works_on(person, place, day) for place in draft.catalogue.locations)


def _gender(draft: Draft, subject: Subject) -> bool:
    known = [one for one in _people_meant(draft, subject) if one.gender in {"female", "male"}]
    for person in known[:_LISTED]:
        draft.say(Say.GENDER, practitioner=person.id, gender=person.gender)
    return bool(known)


def _people_meant(draft: Draft, subject: Subject) -> list[PractitionerInfo]:
    """Return who was named, or whoever gives what was."""
    if subject.practitioner is not None:
        return [subject.practitioner]
    services = subject.services or ((subject.service,) if subject.service else ())
    able = {person.id for service in services for person in draft.able(service)}
    return [one for one in draft.catalogue.practitioners if one.id in able]


def _languages(draft: Draft, subject: Subject) -> bool:
    if subject.practitioner is not None:
        people = [subject.practitioner]
    else:
        people = list(draft.catalogue.practitioners)
    if subject.language is not None:
        people = [one for one in people if subject.language in one.languages]
        draft.say(Say.LANGUAGE_SPOKEN_BY, language=subject.language, practitioners=[one.id for one in people])
    else:
        draft.say(Say.LANGUAGES, languages=sorted({language for one in people for language in one.languages}))
    return True


def _preparation(draft: Draft, subject: Subject) -> bool:
    if subject.service is None:
        draft.say(Say.WHICH_SERVICE_ASKED)
    elif subject.service.preparation:
        draft.say(Say.PREPARATION, service=subject.service.id, text=subject.service.preparation)
    else:
        draft.say(Say.NO_PREPARATION, service=subject.service.id)
    return True


def _duration(draft: Draft, subject: Subject) -> bool:
    if subject.service is None:
        draft.say(Say.WHICH_SERVICE_ASKED)
    else:
        draft.say(Say.DURATION, service=subject.service.id)
    return True


def _phone(draft: Draft, subject: Subject) -> bool:
    number = (subject.location.phone if subject.location else None) or draft.catalogue.phone
    if number:
        draft.say(Say.PHONE, number=number)
    return number is not None


def _places(draft: Draft, subject: Subject) -> list[str]:
    if subject.location is not None:
        return [subject.location.id]
    return [one.id for one in draft.catalogue.locations]


_TELLERS = {
    Topic.HOURS: _hours,
    Topic.ADDRESS: _address,
    Topic.PARKING: _parking,
    Topic.PRICE: _price,
    Topic.SERVICES: _services,
    Topic.PRACTITIONERS: _practitioners,
    Topic.WHO_WORKS_WHEN: _works_when,
    Topic.GENDER: _gender,
    Topic.LANGUAGES: _languages,
    Topic.PREPARATION: _preparation,
    Topic.DURATION: _duration,
    Topic.PHONE: _phone,
}
