"""A conversation as plain text, for a file to keep or to send to whoever looks into it. Pure."""

from collections.abc import Iterator, Sequence

from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.conversations import ConversationPage
from frontdesk.console.turn_view import TurnView
from frontdesk.console.words import Words


def transcript_text(
    page: ConversationPage, turns: Sequence[TurnView], *, who: str, words: Words, dates: DateWriter
) -> str:
    """Return the whole conversation in the words of the page."""
    parts = ["\n".join(_head(page, who, words, dates)), *("\n".join(_turn(turn, words, dates)) for turn in turns)]
    texts = [f"{dates.moment(text.at)}: {text.body}" for text in page.texts]
    if texts:
        parts.append("\n".join([words("conversation.texts"), *texts]))
    notes = [f"{dates.moment(note.written_at)}, {_login(note.written_by)}: {note.text}" for note in page.notes]
    if notes:
        parts.append("\n".join([words("conversation.notes"), *notes]))
    return "\n\n".join(parts) + "\n"


def _head(page: ConversationPage, who: str, words: Words, dates: DateWriter) -> Iterator[str]:
    yield f"{words('conversation.title')}: {who}"
    yield f"{words('conversation.number')}: {page.number or words('conversations.withheld')}"
    yield f"{words('conversations.channel')}: {words.of_code('channel', page.channel)}"
    yield f"{words('conversation.language')}: {words.of_code('language', page.language)}"
    yield f"{words('conversation.started')}: {dates.moment(page.started_at)}"
    yield f"{words('conversations.outcome')}: {words.of_code('outcome', page.outcome)}"
    if page.tags:
        yield f"{words('conversation.tags')}: {', '.join(page.tags)}"


def _turn(turn: TurnView, words: Words, dates: DateWriter) -> Iterator[str]:
    stored = turn.stored
    yield f"{words('conversation.turn', number=stored.number)}, {dates.clock(stored.at)}"
    if turn.event:
        yield f"({turn.event})"
    if turn.said:
        yield f"{words('conversation.patient_said')}: {turn.said}"
    if stored.reply:
        yield f"{turn.by_staff or words('conversation.agent_said')}: {stored.reply}"
    for key, entries in (
        (words("conversation.understood"), turn.understood),
        (words("conversation.decided"), turn.decided),
        (words("conversation.written"), [entry.words for entry in turn.written]),
    ):
        if entries:
            yield f"  {key}: {'; '.join(entries)}"


def _login(actor: str) -> str:
    return actor.removeprefix("staff:")
