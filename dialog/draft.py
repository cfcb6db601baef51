"""One decision in the making: the state as it will be, what will be said, what is to be done.

A Draft lives for one call of the policy and never leaves it, so that the policy stays a function of its arguments.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from booking.values import Catalogue, LocationInfo, PractitionerInfo, ServiceInfo
from dialog import hours
from dialog.acts import Act, Say
from dialog.errands import Effect, OpenTask, Request
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import Choice, DialogState, Flow, Outcome, weightier

Known = TypeVar("Known")


@dataclass(frozen=True)
class Setting:
    """What a turn is decided in: the clinic as configured, the instant, the channel, the number it comes from."""

    catalogue: Catalogue
    now: datetime
    channel: Channel
    caller: str | None

    @property
    def local_now(self) -> datetime:
        return self.now.astimezone(self.catalogue.zone).replace(tzinfo=None)


@dataclass(frozen=True)
class Decision:
    """What follows from what was heard. With a `request` the turn is not over: its result goes back to the policy."""

    state: DialogState
    acts: tuple[Act, ...] = ()
    effects: tuple[Effect, ...] = ()
    request: Request | None = None
    transfer_to: str | None = None
    ends: bool = False


@dataclass
class Draft:
    state: DialogState
    setting: Setting
    acts: list[Act] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    request: Request | None = None
    transfer_to: str | None = None
    ends: bool = False
    asked_something: bool = False
    may_be_misheard: bool = False  # the recogniser was not sure of what was said

    @property
    def catalogue(self) -> Catalogue:
        return self.setting.catalogue

    @property
    def flow(self) -> Flow:
        """The flow under way. Only asked for when there is one."""
        return present(self.state.flow)

    @property
    def is_voice(self) -> bool:
        return self.setting.channel is Channel.VOICE

    def say(self, what: Say, /, **fields: Any) -> None:
        self.acts.append(Act(what, fields))

    def ask(self, what: Say, asked: Asked, /, *, choices: tuple[Choice, ...] = (), **fields: Any) -> None:
        """Ask one question. The same question again is asked in other words."""
        before = self.state.question
        is_same = before is not None and before.say is what
        is_all = is_same and not self.acts and present(before).fields == fields
        self.state = replace(
            self.state,
            asked=asked,
            choices=choices,
            failures=self.state.failures if is_same else 0,
            silences=self.state.silences if is_same else 0,
            rounds=self.state.rounds + 1 if is_all else 0,
        )
        question = Act(what, fields, variant=self.state.failures + self.state.silences)
        self.state = replace(self.state, question=question)
        self.acts.append(question)
        self.asked_something = True

    def listen_freely(self) -> None:
        """Leave no question open."""
        self.state = replace(self.state, asked=Asked.NOTHING, question=None, choices=(), failures=0, silences=0)
        self.asked_something = True

    def update(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def update_flow(self, **changes: Any) -> None:
        self.state = self.state.with_flow(replace(self.flow, **changes))

    def update_details(self, **changes: Any) -> None:
        self.update_flow(details=replace(self.flow.details, **changes))

    def push(self, flow: Flow) -> None:
        self.update(flows=(*self.state.flows, flow))

    def finish(self, outcome: Outcome | None = None) -> None:
        """End the flow under way; the one below it goes on."""
        self.update(flows=self.state.flows[:-1], asked=Asked.NOTHING, question=None, choices=())
        if outcome is not None:
            self.note_outcome(outcome)

    def note_outcome(self, outcome: Outcome) -> None:
        self.update(outcome=weightier(self.state.outcome, outcome))

    def tell_staff(self, task: OpenTask) -> None:
        self.effects.append(task)

    def phone(self) -> str | None:
        """The number somebody can be reached at: what they gave, or what they call from."""
        return self.state.me.phone or self.setting.caller

    def known_patient(self) -> str | None:
        """The patient this most likely is, for the staff's eyes."""
        if self.state.verified_id:
            return self.state.verified_id
        return self.state.number_patients[0] if len(self.state.number_patients) == 1 else None

    def service(self, key: str) -> ServiceInfo:
        return next(one for one in self.catalogue.services if one.key == key)

    def practitioner(self, key: str) -> PractitionerInfo:
        return next(one for one in self.catalogue.practitioners if one.key == key)

    def practitioners(self, keys: tuple[str, ...]) -> list[PractitionerInfo]:
        """The people of these keys whom patients may ask for: a visit may be with one they no longer can."""
        return [one for key in keys for one in self.catalogue.practitioners if one.key == key]

    def location(self, key: str) -> LocationInfo:
        return next(one for one in self.catalogue.locations if one.key == key)

    def steps(self, service: ServiceInfo) -> tuple[ServiceInfo, ...]:
        """What is given in the visit: the steps of a package, else the service itself."""
        return tuple(self.catalogue.service(one) for one in service.steps) or (service,)

    def able(self, service: ServiceInfo) -> tuple[PractitionerInfo, ...]:
        """Who gives the service, or a step of it."""
        steps = self.steps(service)
        return tuple(
            one for one in self.catalogue.practitioners if any(self.catalogue.offers(one, step) for step in steps)
        )

    def person_number(self) -> str | None:
        """The number of a person who can be had now: the Location's own, or the clinic's; None when all are closed."""
        open_now = [one for one in self.catalogue.locations if hours.is_open(one, now=self.setting.now)]
        if not open_now:
            return None
        return next((one.transfer_to for one in open_now if one.transfer_to), self.catalogue.transfer_to)


def present(value: Known | None) -> Known:
    """Return what must be known at this point of a flow; that it is not is a bug of ours."""
    if value is None:
        raise RuntimeError("the flow went on without something it needs")
    return value
