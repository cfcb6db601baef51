"""Views of the list of conversations that staff keep under a name, for themselves or for all of the clinic."""

import json
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.orm import Session

from frontdesk.console.model import DefaultView, SavedView
from frontdesk.console.wanted import Wanted, read_wanted
from kernel.db import new_id
from kernel.work import UnitOfWork

LONGEST_NAME = 60
MOST_VIEWS = 30  # of one person


@dataclass(frozen=True)
class View:
    """A view that somebody may use. `is_default`: it is what they see first."""

    id: str
    name: str
    wanted: Wanted
    is_mine: bool
    is_shared: bool
    is_default: bool


def views_of(session: Session, *, clinic_id: str, login: str) -> list[View]:
    """Return somebody's own views and those that others of the clinic share, by name. One query."""
    found = session.execute(
        select(SavedView, DefaultView.login)
        .outerjoin(DefaultView, (DefaultView.view_id == SavedView.id) & (DefaultView.login == login))
        .where(SavedView.clinic_id == clinic_id, or_(SavedView.login == login, SavedView.is_shared))
        .order_by(func.lower(SavedView.name), SavedView.id)
    )
    return [
        View(
            id=row.id,
            name=row.name,
            wanted=read_wanted(json.loads(row.wanted)),
            is_mine=row.login == login,
            is_shared=row.is_shared,
            is_default=default is not None,
        )
        for row, default in found
    ]


def save_view(
    work: UnitOfWork, *, clinic_id: str, login: str, name: str, wanted: Wanted, is_shared: bool
) -> str | None:
    """Keep a view and return its id; one of the same name is replaced. None without a name, or where there are too many."""
    name = " ".join(name.split())[:LONGEST_NAME].strip()
    mine = SavedView.clinic_id == clinic_id, SavedView.login == login
    others = work.session.scalar(select(func.count()).where(*mine, SavedView.name != name)) or 0
    if not name or others >= MOST_VIEWS:
        return None
    kept = {"wanted": json.dumps(wanted.given()), "is_shared": is_shared}
    on = insert_on_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_on_sqlite
    new = on(SavedView).values(id=new_id(), clinic_id=clinic_id, login=login, name=name, **kept)
    same = ["clinic_id", "login", "name"]
    saved = new.on_conflict_do_update(
        index_elements=same, set_={column: new.excluded[column] for column in kept}
    ).returning(SavedView.id)
    return work.session.scalar(saved)


def remove_view(work: UnitOfWork, *, clinic_id: str, login: str, view_id: str) -> bool:
    """Remove a view of one's own, also as the default of others; say whether there was one."""
    mine = SavedView.clinic_id == clinic_id, SavedView.login == login
    removed = work.session.scalar(delete(SavedView).where(*mine, SavedView.id == view_id).returning(SavedView.id))
    return removed is not None


def show_first(work: UnitOfWork, *, clinic_id: str, login: str, view_id: str | None) -> bool:
    """Choose the view that somebody sees who opens the list; None: all conversations. Say whether there is such a view."""
    theirs = or_(SavedView.login == login, SavedView.is_shared)
    known = work.session.scalar(
        select(SavedView.id).where(SavedView.id == view_id, SavedView.clinic_id == clinic_id, theirs)
    )
    if view_id and known is None:
        return False
    work.session.execute(delete(DefaultView).where(DefaultView.login == login))
    if known:
        on = insert_on_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_on_sqlite
        work.session.execute(on(DefaultView).values(login=login, view_id=known).on_conflict_do_nothing())
    return True
