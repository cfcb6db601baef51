"""From phrases that hold to the commands that they mean."""

from collections.abc import Callable

from dialog import commands as say
from dialog.commands import Command, Topic
from dialog.interpreter import Asked
from dialog.understanding.finding import Finding
from dialog.understanding.held import ABOUT_STAFF, OPENING, part_of
from dialog.understanding.mention import overlaps
from dialog.understanding.numbers import number_at
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene


def of_hit(hit: Hit, scene: Scene) -> Finding | None:
    """Give the command that a phrase means, if it means one by itself."""
    name, _, value = hit.label.partition(" ")
    make = _MAKERS.get(name)
    command = make(value, hit, scene) if make else None
    if command is None:
        return None
    # A question and a message go on as they were said, so all of their part counts as understood.
    words = (
        frozenset(range(*part_of(hit, scene))) if isinstance(command, say.AskClinic | say.LeaveMessage) else hit.literal
    )
    return Finding(command, (hit.start, hit.end), words)


Maker = Callable[[str, Hit, Scene], Command | None]


def _language_wished(value: str, hit: Hit, scene: Scene) -> Command | None:
    if value.startswith("gender="):
        return say.WishPractitioner(gender=value.removeprefix("gender="))
    spoken = [
        scene.book.languages[word]
        for word in scene.utterance.words[hit.start : hit.end]
        if word in scene.book.languages
    ]
    return say.WishPractitioner(language=spoken[0]) if spoken else None


def _late(_value: str, hit: Hit, scene: Scene) -> Command:
    words = scene.utterance.words[hit.start : hit.end]
    for said, minutes in scene.book.minutes_said.items():
        if any(words[at : at + len(said)] == said for at in range(len(words))):
            return say.RunningLate(minutes)
    # The "un" of "un poco tarde" counts nothing.
    counting = (at for at in range(hit.start, hit.end) if scene.utterance.words[at] not in scene.book.small)
    found = (number_at(scene.utterance, at, scene.book) for at in counting)
    return say.RunningLate(next((number[0] for number in found if number), None))


def _about_it(_value: str, _hit: Hit, scene: Scene) -> Command:
    """Read "who is it with?": of what was just offered or read out, else of the visit they have."""
    is_open = scene.listening.asked in {Asked.YES_NO, Asked.CHOICE}
    return say.Repeat() if is_open else say.AskAppointments()


def _question(value: str, hit: Hit, scene: Scene) -> Command:
    return say.AskClinic(Topic(value), scene.utterance.said(*part_of(hit, scene)))


def _for_answer(_value: str, hit: Hit, scene: Scene) -> Command:
    topic = next(each.topic for each in scene.asking if overlaps(each.span, (hit.start, hit.end)))
    return _question(topic, hit, scene)


def _availability(value: str, _hit: Hit, scene: Scene) -> Command:
    """Read "don't book it yet": of what is being agreed on it is a no."""
    if value and scene.listening.asked not in OPENING:
        return say.Deny()
    return say.AskAvailability(only=bool(value))


def _others(_value: str, hit: Hit, scene: Scene) -> Command:
    return say.MoreOptions(with_others=_is_cued("others_cues", hit, scene))


def _is_cued(label: str, hit: Hit, scene: Scene) -> bool:
    """Whether words of that kind are part of a phrase, or follow it at once."""
    return any(cue.label == label and overlaps((cue.start, cue.end), (hit.start, hit.end + 1)) for cue in scene.cues)


def _simple(command: Command) -> Maker:
    return lambda _value, _hit, _scene: command


_MAKERS: dict[str, Maker] = {
    "start_booking": lambda value, _hit, _scene: say.StartBooking(only_looking=value == "looking"),
    "start_reschedule": lambda _value, hit, scene: say.StartReschedule(every=_is_cued("every_cues", hit, scene)),
    "start_cancel": lambda value, _hit, _scene: say.StartCancel(only_unable=value == "unable", every=value == "all"),
    "confirm_visit": _simple(say.ConfirmVisit()),
    "ask_appointments": lambda value, _hit, _scene: say.AskAppointments(past=value == "past"),
    "ask_about_it": _about_it,
    "has_visit": _simple(say.AskAppointments()),
    "ask_availability": _availability,
    "join_waitlist": _simple(say.JoinWaitlist()),
    "running_late": _late,
    "ask_clinic": _question,
    "ask_answer": _for_answer,
    ABOUT_STAFF: lambda _value, hit, scene: _question(Topic.OTHER, hit, scene),
    "ask_human": _simple(say.AskHuman()),
    "want_email": _simple(say.WantEmail()),
    "leave_message": lambda _value, _hit, scene: say.LeaveMessage(scene.utterance.text.strip()),
    "any_practitioner": _simple(say.AnyPractitioner()),
    "like_last_time": _simple(say.LikeLastTime()),
    "same_practitioner": lambda value, _hit, _scene: say.SamePractitioner(value or None),
    "wish_practitioner": _language_wished,
    "new_patient": lambda value, _hit, _scene: say.NewPatient(is_new=value == "yes"),
    "affirm": _simple(say.Affirm()),
    "deny": lambda value, _hit, _scene: say.Deny(nothing_more=value == "nothing-more"),
    "unsure": _simple(say.Unsure()),
    "more_options": _others,
    "correct": lambda value, _hit, _scene: say.Correct(value or None),
    "repeat": _simple(say.Repeat()),
    "start_over": _simple(say.StartOver()),
    "go_back": _simple(say.GoBack()),
    "stop": _simple(say.Stop()),
    "greet": _simple(say.Greet()),
    "thank": _simple(say.Thank()),
    "goodbye": _simple(say.Goodbye()),
    "help": _simple(say.Help()),
    "ask_why": _simple(say.AskWhy()),
    "hold_on": _simple(say.HoldOn()),
    "ask_if_bot": _simple(say.AskIfBot()),
    "switch_language": lambda value, _hit, _scene: say.SwitchLanguage(value),
    "out_of_scope": lambda value, _hit, _scene: say.OutOfScope(value),
}
