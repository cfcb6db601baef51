"""What was written to patients, and in which words the clinic writes."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.clinic_file.checks import remarks_on_wording
from booking.clinic_file.remarks import Remark
from booking.message_settings import word_message
from booking.message_wording import FIELDS, LONGEST, Medium, WordedKind
from booking.outgoing_mail import NoLongerHolds
from booking.task_words import word
from booking.values import Catalogue, MailUse
from dialog.languages import spoken_at
from frontdesk.console.reads.messages import FAILED, failed_count, messages
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.work import UnitOfWork
from sms.again import send_again
from sms.model import SmsKind, SmsState
from sms.samples import Sample, own_text, sample, usual_text
from sms.vendor_codes import meaning

_STATES = {"failed": FAILED, "waiting": (SmsState.QUEUED, SmsState.SENDING, SmsState.UNKNOWN)}
_LONGEST = 2000


@dataclass(frozen=True)
class _Draft:
    """A text or mail as it stands in the form: what is wrong with it, and how it reads if nothing is."""

    kind: WordedKind
    language: str
    text: str
    remarks: tuple[Remark, ...]
    sample: Sample | None
    cost: str | None


def add_message_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/messages`, `/messages/wording` and their buttons."""
    _add_list(blueprint, services)
    _add_wording(blueprint, services)


def _add_list(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/messages")
    def sent_messages() -> ResponseReturnValue:
        clinic_id = current_staff().clinic_id
        state = request.args.get("state", "")
        kind = next((one.value for one in SmsKind if one == request.args.get("kind")), None)
        number = min(max(request.args.get("page", 1, type=int), 1), 1000)
        with services.db.read() as session:
            page = messages(session, clinic_id=clinic_id, states=_STATES.get(state, ()), kind=kind, page=number)
            failed = failed_count(session, clinic_id=clinic_id)
        return render_template(
            "console/messages.html",
            page=page,
            number=number,
            state=state,
            kind=kind,
            kinds=list(SmsKind),
            failed=failed,
            reasons={
                one.error_code: word("delivery", meaning(one.error_code), language=g.language)
                for one in page.messages
                if one.error_code
            },
        )

    @blueprint.post("/messages/<message_id>/again")
    def send_message_again(message_id: str) -> ResponseReturnValue:
        staff, now = current_staff(), g.now

        def step(work: UnitOfWork) -> bool:
            return send_again(work, clinic_id=staff.clinic_id, message_id=message_id, now=now, done_by=staff.login)

        try:
            if not services.db.run(step):
                abort(404)
            flash(page_words()("messages.queued_again"))
        except NoLongerHolds:
            flash(page_words()("tasks.no_longer_holds"), "problem")
        return redirect(url_for("console.sent_messages", state="failed"))


def _add_wording(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/messages/wording")
    def message_wording() -> ResponseReturnValue:
        catalogue = _catalogue(services)
        kind, language = _asked(catalogue)
        own = own_text(catalogue, language=language, kind=kind)
        text = own if own is not None else usual_text(catalogue, language=language, kind=kind)
        return _page(catalogue, _draft(catalogue, kind, language, text))

    @blueprint.get("/messages/preview")
    def preview_message() -> ResponseReturnValue:
        catalogue = _catalogue(services)
        kind, language = _asked(catalogue)
        draft = _draft(catalogue, kind, language, request.args.get("text", "")[:_LONGEST])
        return render_template("console/_message_preview.html", draft=draft)

    @blueprint.post("/messages/wording")
    def change_message_wording() -> ResponseReturnValue:
        catalogue = _catalogue(services)
        kind, language = _asked(catalogue)
        text = None
        if request.form.get("do") != "reset":
            text = _tidy(kind, request.form.get("text", "")[:_LONGEST])
            draft = _draft(catalogue, kind, language, text)
            if draft.remarks or request.form.get("do") == "preview":
                return _page(catalogue, draft), 422 if draft.remarks else 200
            if text == usual_text(catalogue, language=language, kind=kind):
                text = None
        clinic_id = catalogue.clinic_id
        services.db.run(lambda work: word_message(work, clinic_id=clinic_id, language=language, kind=kind, text=text))
        flash(page_words()("messages.wording_kept"))
        return redirect(url_for("console.message_wording", kind=kind.value, language=language))


def _catalogue(services: ConsoleServices) -> Catalogue:
    with services.db.read() as session:
        return services.catalogues.get(session, clinic_id=current_staff().clinic_id)


def _asked(catalogue: Catalogue) -> tuple[WordedKind, str]:
    """Return which text is asked for; the first where none is named. Ends the request with 404 for one that there is not."""
    languages = spoken_at(catalogue)
    kind, language = request.values.get("kind", WordedKind.REMINDER), request.values.get("language", languages[0])
    if kind not in set(WordedKind) or language not in languages:
        abort(404)
    return WordedKind(kind), language


def _draft(catalogue: Catalogue, kind: WordedKind, language: str, text: str) -> _Draft:
    wrong = tuple(remarks_on_wording(kind, text))
    read = None if wrong else sample(catalogue, language=language, kind=kind, text=text, now=g.now)
    return _Draft(kind, language, text, wrong, read, None if read is None else _cost(catalogue, read))


def _tidy(kind: WordedKind, text: str) -> str:
    """Return the text on one line; a mail keeps its lines."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "\n".join(lines).strip() if kind.medium is Medium.MAIL else " ".join(filter(None, lines))


def _cost(catalogue: Catalogue, read: Sample) -> str | None:
    if catalogue.messages.part_price is None or read.parts is None:
        return None
    amount, currency = catalogue.messages.part_price.split()
    return f"{float(amount) * read.parts.count:.4f} {currency}"


def _page(catalogue: Catalogue, draft: _Draft) -> str:
    fields = FIELDS[draft.kind]
    return render_template(
        "console/message_wording.html",
        draft=draft,
        kinds=list(WordedKind),
        longest=LONGEST[draft.kind.medium],
        sends_mails=bool(catalogue.email) and catalogue.messages.mail is not MailUse.NEVER,
        spoken=spoken_at(catalogue),
        must=sorted(fields.must),
        may=sorted(fields.may),
        is_own=own_text(catalogue, language=draft.language, kind=draft.kind) is not None,
    )
