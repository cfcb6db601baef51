"""What utterances mean, without a conversation around them: for `frontdesk understand` and for benchmarks."""

import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from booking.catalogue import load_catalogue
from booking.clinic_file import import_clinic, parse
from booking.model.clinic import Clinic
from booking.values import Catalogue
from dialog.understanding.lines import understand_line
from frontdesk.bootstrap import make_interpreter
from frontdesk.demo.clinic import demo_text
from frontdesk.files import read_text
from frontdesk.schema import make_tables
from kernel.config import ModelSettings
from kernel.work import Database


class Ear:
    """Listens for one clinic: that of `clinic_file`, or the demo clinic."""

    def __init__(self, *, clinic_file: Path | None, model: ModelSettings | None) -> None:
        self._catalogue = read_clinic(clinic_file)
        self._interpreter = make_interpreter(model)

    def understand(self, line: str) -> str:
        """Say as JSON what one line of JSON means; see dialog.understanding.lines. Raises Malformed."""
        return understand_line(line, interpreter=self._interpreter, catalogue=self._catalogue)


def read_clinic(clinic_file: Path | None) -> Catalogue:
    """Read a clinic file, or the demo clinic, the way the product does: through a database, here one that is thrown away."""
    now = datetime.now(ZoneInfo("UTC"))
    text = read_text(clinic_file) if clinic_file else demo_text(today=now.date())
    file = parse(text, path=str(clinic_file or "demo"))
    with tempfile.TemporaryDirectory(prefix="frontdesk-understand-") as folder:
        db = Database(f"sqlite:///{folder}/clinic.db", secret="0" * 32)
        try:
            make_tables(db.engine)
            db.run(lambda work: import_clinic(work, file, now=now))
            with db.read() as session:
                return load_catalogue(session, clinic_id=session.scalars(select(Clinic.id)).one())
        finally:
            db.dispose()
