"""What the clinic's people, services and prices are called in a language. `parts` are those of its wording file."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from booking.values import PractitionerInfo, ServiceInfo
from kernel.money import Money

_CURRENCY_SIGNS = {"USD": "$", "CAD": "$", "AUD": "$", "NZD": "$", "MXN": "$", "EUR": "EUR ", "GBP": "GBP "}


def person_called(person: PractitionerInfo, parts: Mapping[str, Any], *, side: str) -> str:
    """Return the whole name, with its title as the language says it: "la doctora Mina Lee", "Dra. Mina Lee"."""
    title, _, rest = person.name.partition(" ")
    by_gender = parts["titles"].get(title)
    if by_gender is None or not rest:
        return person.name
    return f"{by_gender.get(person.gender, by_gender['other'])[side]} {rest}"


def person_called_shortly(person: PractitionerInfo, parts: Mapping[str, Any], *, side: str) -> str:
    """Say "Dr. Lee" of "Dr. Mina Lee", and others by their whole name."""
    words = person.name.split()
    if not (words[0].endswith(".") and len(words) > 2):
        return person_called(person, parts, side=side)
    by_gender = parts["titles"].get(words[0])
    title = words[0] if by_gender is None else by_gender.get(person.gender, by_gender["other"])[side]
    return f"{title} {words[-1]}"


def service_called(service: ServiceInfo, parts: Mapping[str, Any]) -> str:
    """Return a service's name in the language: the clinic's own, else its first alias in it, else the usual one for such a name.

    Where none is known it is the clinic's own name, whatever language that is in.
    """
    known = _plain_words(parts["service_words"])
    if not known:
        return service.name
    for name in (service.name, *service.aliases):
        words = _plain_words(name)
        if words and words <= known:
            return _written(name)
    names: Mapping[str, str] = parts["services"]
    usual = next((names[each.lower()] for each in (service.name, *service.aliases) if each.lower() in names), None)
    return _written(usual) if usual else service.name


def is_written_in(text: str, parts: Mapping[str, Any], *, others: Mapping[str, Any]) -> bool:
    """Say whether a text has more of the little words of one language than of another."""
    said = _plain_words(text)
    here, there = (_plain_words(each["little_words"]) for each in (parts, others))
    return len(said & here) > len(said & there)


def price_called(price: Money, parts: Mapping[str, Any], *, side: str) -> str:
    """Return an amount: "$95", "95 dólares"."""
    whole, cents = divmod(price.amount_minor, 100)
    sign = _CURRENCY_SIGNS.get(price.currency, f"{price.currency} ")
    currency = parts["currencies"].get(price.currency, price.currency)
    template: str = parts["price_cents" if cents else "price"][side]
    return template.format(whole=whole, cents=cents, sign=sign, currency=currency)


def _written(name: str) -> str:
    return name[:1].upper() + name[1:]


def _plain_words(text: str) -> set[str]:
    letters = unicodedata.normalize("NFKD", text.lower())
    kept = (letter for letter in letters if not unicodedata.combining(letter))
    return {word.strip(".,()") for word in "".join(kept).replace("-", " ").split()}
