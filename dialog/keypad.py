"""Keys pressed, and bare digits texted, as commands: what they mean depends on the question that is open."""

import contextlib
from datetime import date

from dialog import commands as c
from dialog.acts import Say
from dialog.countries import writes_month_first
from dialog.draft import Draft
from dialog.interpreter import Asked
from dialog.languages import spoken_at
from kernel.phone import to_e164

_ANYTIME: dict[str, c.Command] = {"0": c.AskHuman(), "9": c.Repeat(), "*": c.GoBack()}
_OTHER_LANGUAGE = "8"
_MENU: dict[str, c.Command] = {
    "1": c.StartBooking(),
    "2": c.StartReschedule(),
    "3": c.StartCancel(),
    "4": c.AskAppointments(),
    "5": c.LeaveMessage(),
}
_YES_NO: dict[str, c.Command] = {"1": c.Affirm(), "y": c.Affirm(), "2": c.Deny(), "n": c.Deny()}
_FURTHER = ("3", "4")  # numbers of options that are no yes and no
_MENU_QUESTIONS = {Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE, Asked.NOTHING}


def as_commands(draft: Draft, text: str, understood: tuple[c.Command, ...], *, is_keys: bool) -> tuple[c.Command, ...]:
    """Return what was meant: the keys' meaning for keys, and for a bare digit texted in answer to a question that has numbers."""
    digits, asked = text.strip().rstrip("#.)"), draft.state.asked
    if draft.state.question and draft.state.question.say is Say.GO_ON and (answer := _YES_NO.get(digits.lower())):
        return (answer,)
    if is_keys:
        meant = _meaning(draft, digits)
        return (meant,) if meant is not None else ()
    if asked is Asked.YES_NO and (answer := _YES_NO.get(digits.lower())):
        return (answer,)
    if asked is Asked.YES_NO and digits in _FURTHER[: max(0, len(draft.state.choices) - 2)]:
        return (c.Correct(), c.Choose(int(digits) - 1))  # another of the list that the one read back was chosen from
    has_numbers = draft.state.choices and asked not in {Asked.YES_NO, *_MENU_QUESTIONS}
    if len(digits) == 1 and digits.isdecimal() and has_numbers:
        return (c.Choose(int(digits) - 1),) if digits != "0" else (c.AskHuman(),)
    return understood


def _meaning(draft: Draft, digits: str) -> c.Command | None:
    asked = draft.state.asked
    if digits in _ANYTIME:
        return _ANYTIME[digits]
    if digits == _OTHER_LANGUAGE:
        others = [one for one in spoken_at(draft.catalogue) if one != draft.state.language]
        return c.SwitchLanguage(others[0]) if others else None
    if asked is Asked.BIRTH_DATE:
        return c.GiveBirthDate(_birth_date(digits, month_first=writes_month_first(draft.catalogue.country)))
    if asked is Asked.PHONE:
        number = to_e164(digits, country=draft.catalogue.country)
        return c.GivePhone(number) if number else None
    if asked is Asked.YES_NO or (draft.state.question and draft.state.question.say is Say.OFFER_MESSAGE):
        return {"1": c.Affirm(), "2": c.Deny()}.get(digits)
    if asked in _MENU_QUESTIONS:
        return _MENU.get(digits)
    if draft.state.choices and len(digits) == 1 and digits.isdecimal():
        return c.Choose(int(digits) - 1)
    return None


def _birth_date(digits: str, *, month_first: bool) -> date | None:
    """Read eight digits in the order of the country, or in the other one where there is no such date."""
    if len(digits) != 8 or not digits.isdecimal():
        return None
    first, second, year = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    usual = (first, second) if month_first else (second, first)
    for month, day in (usual, usual[::-1]):
        with contextlib.suppress(ValueError):
            return date(year, month, day)
    return None
