"""Acts to words: the wording file of the language gives the sentences, the catalogue the names, the acts the values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML

from booking.values import Catalogue, LocationInfo, PractitionerInfo, WeeklyHours
from dialog import hours
from dialog.acts import Act, Say
from dialog.countries import writes_month_first
from dialog.inbound import Channel
from dialog.wording.moments import Moments
from dialog.wording.names import is_written_in, person_called, person_called_shortly, price_called, service_called
from kernel.money import Money

_SERVICES_NAMED = 3
_LETTERS_SAID = 2  # shorter parts of an address are spelled


def render(acts: Iterable[Act], *, catalogue: Catalogue, channel: Channel, language: str = "en") -> str:
    """Return what is said or written for `acts`, in order."""
    renderer = Renderer(catalogue, channel, wording(language), language)
    sentences = [renderer.sentence(act) for act in acts]
    return " ".join(one for one in sentences if one).replace("\n ", "\n")


@lru_cache
def wording(language: str) -> Mapping[str, Any]:
    """Load the wording of `language`, once per process. Raises KeyError for a language without a file."""
    source = resources.files("dialog.wording").joinpath(f"{language}.yaml")
    if not language.isalpha() or not source.is_file():
        raise KeyError(language)
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    return loaded


class _Lazy(dict[str, Any]):
    """The values a sentence may name; only those it does name are worked out."""

    def __init__(self, makers: Mapping[str, Callable[[], str]]) -> None:
        super().__init__()
        self._makers = makers

    def __missing__(self, key: str) -> str:
        return self._makers[key]()


@dataclass(frozen=True)
class Renderer:
    catalogue: Catalogue
    channel: Channel
    words: Mapping[str, Any]
    language: str

    @property
    def parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = self.words["parts"]
        return parts

    @property
    def moments(self) -> Moments:
        return Moments(self.parts, self.channel, self.catalogue.country)

    def sentence(self, act: Act) -> str:
        """Return the words of one act."""
        entry = self.words[act.say.value]
        if act.say in {Say.WHY_NOT, Say.REFUSED}:
            entry = entry.get(act.fields["code"], entry.get("refused"))
        said = entry[self._side]
        template = said[min(act.variant, len(said) - 1)]
        text: str = template.format_map(_Lazy(self._makers(act.fields)))
        for apart, together in self.parts["contractions"].items():
            text = text.replace(apart, together)
        return text[:1].upper() + text[1:]

    @property
    def _side(self) -> str:
        return "spoken" if self.channel is Channel.VOICE else "written"

    @property
    def _running(self) -> str:
        """How people are called within a sentence: written, with the article that a list leaves out."""
        return "spoken" if self.channel is Channel.VOICE else "running"

    def _part(self, name: str, /, **values: object) -> str:
        part = self.parts[name]
        template = part if isinstance(part, str) else part[self._side]
        return str(template.format(**values))

    def _makers(self, fields: Mapping[str, Any]) -> Mapping[str, Callable[[], str]]:
        """What each name in a sentence stands for, given the fields of its act."""
        visit = fields.get("new", fields)
        return {
            "clinic": lambda: self.catalogue.name,
            "service": lambda: self._service(visit["service"]),
            "service_low": lambda: self._in_sentence(self._service(visit["service"])),
            "services": lambda: self._services(fields["services"]),
            "more": lambda: self.parts["more"] if fields["more"] else "",
            "practitioner": lambda: self._called(visit["practitioner"]),
            "practitioners_and": lambda: self._listed(self._people(fields["practitioners"]), "and"),
            "practitioners_or": lambda: self._listed(self._people(fields["practitioners"]), "or"),
            "person_or_we": lambda: self._person(fields) or self.parts["we"],
            "with_person": lambda: self._with_person(fields),
            "doing": lambda: self.parts["doing"][fields["doing"]],
            "when": lambda: self._when(visit["starts_at"], visit.get("location")),
            "of_when": lambda: self._part("of_when", when=self._when(visit["starts_at"], visit.get("location"))),
            "old_when": lambda: self._old_when(fields),
            "of_old_when": lambda: self._part("of_when", when=self._old_when(fields)),
            "for_others": lambda: "".join(
                f" {wording(one)['parts']['for_others']}" for one in fields.get("others", ())
            ),
            "spoken_here": lambda: self._languages({"languages": fields["spoken"]}),
            "at_place": lambda: self._at_place(visit["location"]),
            "for_name": lambda: self._for_name(fields),
            "born": lambda: self._born(fields.get("born")),
            "email": lambda: self._email(str(fields["email"])),
            "eight_digits": self._eight_digits,
            "name": lambda: str(fields["name"]),
            "whom": lambda: str(fields["name"] or self.parts["whom"][fields["relation"]]),
            "said": lambda: str(fields["said"]),
            "phrase": lambda: str(fields["phrase"]),
            "text": lambda: self._own_words(str(fields["text"])),
            "number": lambda: self._number(str(fields["number"])),
            "day": lambda: self.moments.day(date.fromisoformat(fields["day"])),
            "time": lambda: self.moments.clock(fields["minute"]),
            "then": lambda: self._then(fields),
            "all_taken": lambda: self._all_taken(fields),
            "who_is_not": lambda: self._who_is_not(fields),
            "place_is": lambda: self._place_is(fields),
            "at_places": lambda: self._at_places(fields),
            "advance": lambda: str(fields.get("days", self.catalogue.rules.maximum_advance.days)),
            "notice": lambda: self._notice(fields),
            "duration": lambda: self.moments.length(self.catalogue.service(fields["service"]).duration),
            "price": lambda: self._price(fields["service"]),
            "slot": lambda: self._slot(fields["offers"][0]),
            "does_it_suit": lambda: self._part("does_it_suit" if fields["moves"] else "book_it"),
            "text_it": lambda: str(self.parts["text_it"]) if fields.get("may_text") else "",
            "options": lambda: self._numbered(self._options(fields)),
            "options_or": lambda: self._listed(self._options(fields), "or"),
            "options_and": lambda: self._listed(self._options(fields), "and"),
            "options_ordinal": lambda: self._in_order(self._options(fields)),
            "options_press": lambda: self._by_key(self._options(fields)),
            "visits_and": lambda: self._listed([self._visit(one) for one in fields["visits"]], "and"),
            "visits_list": lambda: "".join(f"\n- {self._visit(one)}" for one in fields["visits"]),
            "hours": lambda: self._hours(fields),
            "addresses": lambda: " ".join(self._address(one) for one in self._places(fields)),
            "parking": lambda: self._own_words(" ".join(self._parking(one, fields) for one in self._places(fields))),
            "languages": lambda: self._languages(fields),
            "gender": lambda: self.parts["genders"][fields["gender"]],
            "promise": lambda: self._promise(fields),
            "closes": lambda: self.moments.time(datetime.fromisoformat(fields["closes_at"])),
            "opens": lambda: self._opens(fields["opens_at"]),
        }

    def _own_words(self, text: str) -> str:
        """Give what the clinic wrote; after saying so where it is in the clinic's language and the conversation in another."""
        written_in = self.catalogue.languages[0] if self.catalogue.languages else self.language
        if written_in == self.language or self._is_in_this_language(text, written_in):
            return text
        return self._part("own_words", language=self.parts["languages"].get(written_in, written_in), text=text)

    def _is_in_this_language(self, text: str, clinics: str) -> bool:
        try:
            others = wording(clinics)["parts"]
        except KeyError:
            return False
        return is_written_in(text, self.parts, others=others)

    # Names of things.

    def _service(self, service_id: str) -> str:
        return service_called(self.catalogue.service(service_id), self.parts)

    def _services(self, ids: list[str]) -> str:
        names = [self._in_sentence(self._service(one)) for one in ids]
        return (
            self._listed(names, "and")
            if len(names) > _SERVICES_NAMED + 2
            else self._listed(names[:_SERVICES_NAMED], "or")
        )

    @staticmethod
    def _in_sentence(name: str) -> str:
        """Begin a name small, unless it begins with a shortening ("MRI scan") or a name of its own."""
        return name[:1].lower() + name[1:] if name[1:2].islower() or name[1:2] == " " else name

    def _people(self, ids: list[str]) -> list[str]:
        return [self._called_shortly(one) for one in ids]

    def _called(self, person_id: str) -> str:
        return person_called(self.catalogue.practitioner(person_id), self.parts, side=self._side)

    def _called_shortly(self, person_id: str) -> str:
        return person_called_shortly(self.catalogue.practitioner(person_id), self.parts, side=self._running)

    def _person(self, fields: Mapping[str, Any]) -> str:
        if not fields.get("practitioner"):
            return ""
        return person_called(self.catalogue.practitioner(fields["practitioner"]), self.parts, side=self._running)

    def _with_person(self, fields: Mapping[str, Any]) -> str:
        if fields.get("leaves_out"):
            return str(self.parts["with_nobody_else"])
        return self._part("with_person", name=self._person(fields)) if self._person(fields) else ""

    def _places(self, fields: Mapping[str, Any]) -> list[LocationInfo]:
        return [self.catalogue.location(one) for one in fields["locations"]]

    def _at_place(self, location_id: str) -> str:
        if len(self.catalogue.locations) < 2:
            return ""
        return self._part("at_place", place=self.catalogue.location(location_id).name)

    def _for_name(self, fields: Mapping[str, Any]) -> str:
        if fields.get("name"):
            return self._part("for_name", name=fields["name"])
        return self._part("for_number") if fields.get("by_number") else ""

    def _born(self, born: str | None) -> str:
        return self._part("born", day=self.moments.birth_date(date.fromisoformat(born))) if born else ""

    def _eight_digits(self) -> str:
        return str(
            self.parts["eight_digits"]["month_first" if writes_month_first(self.catalogue.country) else "day_first"]
        )

    def _email(self, address: str) -> str:
        """Give an address; for the ear letter by letter, but for the part that everybody knows."""
        if self.channel is not Channel.VOICE:
            return address
        local, _, domain = address.partition("@")
        provider, _, end = domain.partition(".")
        known = provider if len(provider) > _LETTERS_SAID else self._spelled(provider)
        ends = " ".join(
            f"{self._sign('.')} {one if len(one) > _LETTERS_SAID else self._spelled(one)}" for one in end.split(".")
        )
        return f"{self._spelled(local)}, {self._sign('@')} {known} {ends}"

    def _spelled(self, text: str) -> str:
        """Put commas between the letters, so that none is read as a word."""
        return ", ".join(self._sign(letter) for letter in text)

    def _sign(self, letter: str) -> str:
        return str(self.parts["email_signs"].get(letter, letter))

    def _number(self, number: str) -> str:
        return " ".join(number.lstrip("+")) if self.channel is Channel.VOICE else number

    def _price(self, service_id: str) -> str:
        price = self.catalogue.service(service_id).price or Money(0, "USD")
        return price_called(price, self.parts, side=self._side)

    def _languages(self, fields: Mapping[str, Any]) -> str:
        names = self.parts["languages"]
        codes = fields["languages"] if "languages" in fields else [fields["language"]]
        return self._listed([names.get(code, code) for code in codes], "and")

    def _promise(self, fields: Mapping[str, Any]) -> str:
        return str(self.words["language-promise"][self._side][0]) if fields["promised"] else ""

    # Times.

    def _then(self, fields: Mapping[str, Any]) -> str:
        """When something was wished, as far as it was: " at 8:00 PM on Monday", " on Monday", " then", or nothing."""
        minute = fields.get("minute")
        if minute is not None:
            return self._part("at_time", time=self.moments.clock(minute)) + self._on_day(fields)
        if fields.get("day"):
            return (self.parts["at_that_time"] if fields.get("is_timed") else "") + self._on_day(fields)
        return str(self.parts["then"]) if fields.get("is_dated") else ""

    def _on_day(self, fields: Mapping[str, Any]) -> str:
        return (
            self._part("on_day", day=self.moments.day(date.fromisoformat(fields["day"]))) if fields.get("day") else ""
        )

    def _all_taken(self, fields: Mapping[str, Any]) -> str:
        with_person = self._with_person(fields)
        if fields.get("minute") is None:
            return self._part("nothing_free", then=self._then(fields), with_person=with_person)
        time = self.moments.clock(fields["minute"])
        return self._part("time_taken", time=time, on_day=self._on_day(fields), with_person=with_person)

    def _who_is_not(self, fields: Mapping[str, Any]) -> str:
        name = self._person(fields)
        if name:
            return self._part("is_not", name=name)
        return str(self.parts["nobody_else_is" if fields.get("leaves_out") else "nobody_is"])

    def _place_is(self, fields: Mapping[str, Any]) -> str:
        names = [one.name for one in self._places(fields)]
        return self._part("place_is", place=self._listed(names, "or")) if names else str(self.parts["we_are"])

    def _at_places(self, fields: Mapping[str, Any]) -> str:
        names = [one.name for one in self._places(fields)]
        return self._part("at_places", place=self._listed(names, "or")) if names else ""

    def _notice(self, fields: Mapping[str, Any]) -> str:
        rules = self.catalogue.rules
        return self.moments.length(
            timedelta(minutes=fields["notice_minutes"]) if "notice_minutes" in fields else rules.minimum_notice
        )

    def _when(self, starts_at: str, location_id: str | None) -> str:
        zone = self.catalogue.location(location_id).zone if location_id else self.catalogue.zone
        return self.moments.moment(datetime.fromisoformat(starts_at).astimezone(zone))

    def _old_when(self, fields: Mapping[str, Any]) -> str:
        return self._when(fields["old"]["starts_at"], fields["old"]["location"])

    def _opens(self, opens_at: str | None) -> str:
        return self._part("opens", when=self.moments.moment(datetime.fromisoformat(opens_at))) if opens_at else ""

    def _hours(self, fields: Mapping[str, Any]) -> str:
        if "practitioner" in fields:
            on = date.fromisoformat(fields["on"]) if fields.get("on") else None
            return self._working_hours(self.catalogue.practitioner(fields["practitioner"]), on=on)
        places = self._places(fields)
        told = []
        for place in places:
            text = (
                self._hours_on(place, date.fromisoformat(fields["day"]))
                if "day" in fields
                else self.moments.week(place.hours)
            )
            told.append(
                self._part("hours_at", place=place.name, hours=text)
                if len(places) > 1
                else self._part("hours_only", hours=text)
            )
        return " ".join(told)

    def _hours_on(self, place: LocationInfo, day: date) -> str:
        openings = hours.openings(place, day)
        if not openings:
            return self._part("closed_on", day=self.moments.day(day))
        return self._part("open_on", hours=self._spans(openings), day=self.moments.day(day))

    def _working_hours(self, person: PractitionerInfo, *, on: date | None) -> str:
        if on is not None:
            worked = ((place.id, hours.works_on(person, place, on)) for place in self.catalogue.locations)
            return "; ".join(f"{self._spans(there)}{self._at_place(place_id)}" for place_id, there in worked if there)
        by_place: dict[str, list[WeeklyHours]] = {}
        for one in person.hours:
            by_place.setdefault(one.location_id, []).append(one.weekly)
        return "; ".join(
            f"{self.moments.week(weekly)}{self._at_place(location_id)}" for location_id, weekly in by_place.items()
        )

    def _spans(self, openings: Sequence[hours.Opening]) -> str:
        return self.moments.spans([(one.start, one.end) for one in openings])

    # Places.

    def _address(self, place: LocationInfo) -> str:
        directions = f" {place.directions}" if place.directions else ""
        return self._part("address_at", place=place.name, address=place.address.rstrip(".")) + directions

    def _parking(self, place: LocationInfo, fields: Mapping[str, Any]) -> str:
        text = place.parking or ""
        return f"{place.name}: {text}" if len(fields["locations"]) > 1 else text

    # Options.

    def _options(self, fields: Mapping[str, Any]) -> list[str]:
        if "offers" in fields:
            return [self._slot(one) for one in fields["offers"]]
        if "visits" in fields:
            return [self._visit(one) for one in fields["visits"]]
        if "services" in fields:
            return [self._service(one) for one in fields["services"]]
        return [self._called(one) for one in fields["practitioners"]]

    def _slot(self, offer: Mapping[str, Any]) -> str:
        people = offer["practitioners"]
        name = self._called_shortly(people[0]) if len(people) == 1 else ""
        return self._part(
            "slot",
            when=self._when(offer["starts_at"], offer["location"]),
            **{"with": self._part("with", name=name) if name else ""},
            at_place=self._at_place(offer["location"]),
        )

    def _visit(self, visit: Mapping[str, Any]) -> str:
        return self._part(
            "visit",
            service=self._service(visit["service"]),
            service_low=self._in_sentence(self._service(visit["service"])),
            when=self._when(visit["starts_at"], visit["location"]),
            practitioner=self._called(visit["practitioner"]),
            at_place=self._at_place(visit["location"]),
        )

    def _numbered(self, options: list[str]) -> str:
        return "".join(
            "\n" + self._part("number_option", number=number, option=option) for number, option in enumerate(options, 1)
        )

    def _in_order(self, options: list[str]) -> str:
        ordinals = self.parts["ordinals"]
        return "; ".join(
            self._part("ordinal_option", ordinal=ordinals[at], option=option) for at, option in enumerate(options)
        )

    def _by_key(self, options: list[str]) -> str:
        return " ".join(
            self._part("press_option", number=number, option=option) for number, option in enumerate(options, 1)
        )

    def _listed(self, names: list[str], joiner: str) -> str:
        if not names:
            return str(self.parts["nobody"])
        if len(names) == 1:
            return names[0]
        return f"{', '.join(names[:-1])} {self.parts[joiner]} {names[-1]}"
