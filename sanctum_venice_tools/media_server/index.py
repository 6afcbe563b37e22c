"""The index of a media server: which files there are, and what is known of each.

A file is declared before its bytes come, and counts from when they have come whole.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine, Row

from sanctum_venice_tools.media_server.settings import SettingError

_METADATA = sa.MetaData()

_FILES = sa.Table(
    "files",
    _METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # In microseconds since 1970: when it was declared, and then when it was whole.
    sa.Column("moment", sa.BigInteger, nullable=False),
    sa.Column("is_whole", sa.Boolean, nullable=False),
    sa.Column("media_type", sa.String(100), nullable=False, default=""),
    sa.Column("kind", sa.String(20), nullable=False, default=""),
    sa.Column("tool", sa.String(64), nullable=False, default=""),
    sa.Column("agent", sa.String(100), nullable=False, default=""),
    sa.Column("model", sa.String(200), nullable=False, default=""),
    sa.Column("title", sa.Text, nullable=False, default=""),
    sa.Column("cost_usd", sa.Float, nullable=True),
    # All that the tool told of it, as JSON.
    sa.Column("facts", sa.Text, nullable=False, default="{}"),
    sa.Index("files_by_moment", "is_whole", "moment", "id"),
    sa.Index("files_by_kind", "is_whole", "kind", "moment"),
    sa.Index("files_by_agent", "is_whole", "agent", "moment"),
)

_DAY_MICROSECONDS = 24 * 60 * 60 * 1_000_000

_NO_DATABASE = (
    "--database takes a URL of SQLAlchemy's, such as "
    "postgresql+psycopg://media:PASSWORD@db.example.org/media, with an @ of the password as %40."
)

_IS_WHOLE = _FILES.c.is_whole.is_(True)
_IS_TO_COME = _FILES.c.is_whole.is_(False)
_IS_SET_ASIDE = _FILES.c.name == _FILES.c.id
_SET_ASIDE = {"name": _FILES.c.id, "bytes": 0, "moment": 0, "is_whole": False}
_NEWEST_FIRST = (_FILES.c.moment.desc(), _FILES.c.id.desc())


class IndexWriteError(Exception):
    """The index can't be written; one line that says why."""


@dataclass(frozen=True)
class StoredFile:
    """What is known of a file."""

    id: str
    name: str
    sha256: str
    bytes: int
    moment: int
    is_whole: bool
    media_type: str
    kind: str
    tool: str
    agent: str
    model: str
    title: str
    cost_usd: float | None
    facts: dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """Which files of the index are wanted."""

    kind: str = ""
    agent: str = ""
    words: str = ""
    before: tuple[int, str] | None = None
    """Only older ones than the file of this moment and id."""
    since: int | None = None
    """Only those that are whole since this moment."""


def microseconds_now() -> int:
    """This moment, as the index writes it."""
    return time.time_ns() // 1000


def open_index(database: str, folder: Path) -> "Index":
    """The index in a database.

    SQLite in the folder, unless `database` is the URL of another, such as PostgreSQL.

    Raises:
        SettingError: It can't be opened.
        OSError: The folder can't be written to.
    """
    file = folder / "index.sqlite"
    if not database:
        _keep_private(file)
    # Not as a text, in which signs of the folder's name would be read as those of a URL.
    engine = _engine_of(database or sa.URL.create("sqlite", database=str(file)))
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    try:
        _make_tables(engine)
    except sa.exc.SQLAlchemyError as error:
        engine.dispose()
        place = engine.url.host or engine.url.database
        reason = " ".join(str(getattr(error, "orig", error)).split())
        option = "--database" if database else "--folder"
        told = f"The index at {place} can't be opened; check {option}"
        raise SettingError(f"{told}: {reason}") from None
    return Index(engine)


def _make_tables(engine: Engine) -> None:
    """Make what is not there; if that fails, once more: another server may have been faster."""
    try:
        _METADATA.create_all(engine)
    except sa.exc.DBAPIError:
        _METADATA.create_all(engine)


def _keep_private(file: Path) -> None:
    """Have SQLite's file for its owner alone; those that SQLite lays beside it are as it is."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    for one in file.parent.glob(f"{file.name}*"):
        # Some disks know no owners, and another server may have just ended, with what lay there.
        with suppress(PermissionError, FileNotFoundError):
            one.chmod(0o600)


def _engine_of(database: str | sa.URL) -> Engine:
    """The way to the database of a URL.

    What SQLAlchemy tells of a URL may have the password in it, so none of that is passed on. What
    follows a bare @ in a password would be taken for the host, which drivers do tell.
    """
    try:
        engine = sa.create_engine(database, pool_pre_ping=True)
    except ImportError as missing:
        advice = "sanctum-venice-tools[cluster] has that of PostgreSQL"
        raise SettingError(f"--database needs the package {missing.name}: {advice}.") from None
    except (sa.exc.ArgumentError, ValueError):
        raise SettingError(_NO_DATABASE) from None
    if engine.url.password and "@" in f"{engine.url.host}{engine.url.database}":
        raise SettingError(_NO_DATABASE)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Let readers go on while one writes, and writers wait for each other.

    Its own lower() knows the letters of ASCII alone, and a search is for those of all languages.
    """
    connection.create_function("lower", 1, str.lower, deterministic=True)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


class Index:
    """What a media server knows of its files.

    What notes something raises IndexWriteError where it can't be written: on a full disk, say.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction, which is written when its block has ended well."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            reason = " ".join(str(error.orig).split())
            raise IndexWriteError(f"The index can't be written: {reason}") from error

    def find(self, **columns: str) -> StoredFile | None:
        """The file of an id or a name, also one that is not whole yet."""
        if _has_nul(*columns.values()):
            return None
        query = sa.select(_FILES).filter_by(**columns)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return _file_of(row) if row else None

    def find_by_stem(self, stem: str) -> StoredFile | None:
        """The whole file whose name is this but for its ending."""
        if _has_nul(stem):
            return None
        pattern = f"{_escaped(stem)}.%"
        query = sa.select(_FILES).where(_IS_WHOLE, _FILES.c.name.like(pattern, escape="\\"))
        with self._engine.connect() as connection:
            row = connection.execute(query.order_by(_FILES.c.name)).first()
        return _file_of(row) if row else None

    def declare(self, file: StoredFile) -> StoredFile:
        """Note a file whose bytes are to come; the one that is there, if one of this name is."""
        values = {**vars(file), "facts": json.dumps(file.facts)}
        try:
            with self._writing() as connection:
                connection.execute(_FILES.insert().values(values))
        except sa.exc.IntegrityError:
            there = self.find(name=file.name)
            if there is None:
                raise
            return there
        return file

    def renew(self, name: str, sha256: str) -> None:
        """Have a file that is still to come be declared only now."""
        query = _FILES.update().where(_IS_TO_COME).filter_by(name=name, sha256=sha256)
        with self._writing() as connection:
            connection.execute(query.values(moment=microseconds_now()))

    def mark_whole(self, file_id: str, media_type: str, kind: str) -> bool:
        """Note that the bytes of a file have come; whether it still counts."""
        values = {
            "is_whole": True,
            "moment": microseconds_now(),
            "media_type": media_type,
            "kind": kind,
        }
        query = _FILES.update().where(sa.not_(_IS_SET_ASIDE)).filter_by(id=file_id)
        with self._writing() as connection:
            return bool(connection.execute(query.values(values)).rowcount)

    def forget(self, *file_ids: str) -> None:
        """Take files out of the index, all at once."""
        if not file_ids:
            return
        query = _FILES.delete().where(_FILES.c.id == sa.bindparam("file_id"))
        with self._writing() as connection:
            connection.execute(query, [{"file_id": one} for one in file_ids])

    def set_aside(self, *file_ids: str) -> None:
        """Have files count no longer whose bytes are about to be taken away, all at once.

        Their names are free then; until they are forgotten, they are among the unfinished ones.
        """
        if not file_ids:
            return
        query = _FILES.update().where(_FILES.c.id == sa.bindparam("file_id"))
        with self._writing() as connection:
            connection.execute(query.values(_SET_ASIDE), [{"file_id": one} for one in file_ids])

    def set_aside_unfinished(self, file_id: str, before: int) -> bool:
        """Set a file aside if, since before a moment, it is to come; whether it was."""
        query = _FILES.update().where(_IS_TO_COME, _FILES.c.moment < before).filter_by(id=file_id)
        with self._writing() as connection:
            return bool(connection.execute(query.values(_SET_ASIDE)).rowcount)

    def choose(self, choice: Choice, limit: int) -> list[StoredFile]:
        """So many of the whole files, the newest first."""
        _, follows = choice.before or (0, "")
        if _has_nul(choice.kind, choice.agent, choice.words, follows):
            return []
        query = sa.select(_FILES).where(_IS_WHOLE, *_conditions(choice))
        query = query.order_by(*_NEWEST_FIRST).limit(limit)
        with self._engine.connect() as connection:
            return [_file_of(row) for row in connection.execute(query)]

    def names_like(self, beginning: str, limit: int) -> list[str]:
        """Names of whole files that begin so."""
        if _has_nul(beginning):
            return []
        pattern = f"{_escaped(beginning)}%"
        query = sa.select(_FILES.c.name).where(_IS_WHOLE, _FILES.c.name.like(pattern, escape="\\"))
        with self._engine.connect() as connection:
            return list(connection.scalars(query.order_by(*_NEWEST_FIRST).limit(limit)))

    def bytes_held(self) -> tuple[int, int]:
        """What all whole files have together, and what those have that are to come."""
        query = sa.select(_FILES.c.is_whole, sa.func.sum(_FILES.c.bytes).label("held"))
        with self._engine.connect() as connection:
            rows = connection.execute(query.group_by(_FILES.c.is_whole))
            held = {row.is_whole: int(row.held) for row in rows}
        return held.get(True, 0), held.get(False, 0)

    def oldest(self, held: int, *, other_than: str) -> list[str]:
        """The files that are whole for the longest time, until they have so many bytes together.

        One is never among them: it has just come, whatever the clock said when the others came.
        """
        query = sa.select(_FILES.c.id, _FILES.c.bytes).where(_IS_WHOLE, _FILES.c.id != other_than)
        query = query.order_by(_FILES.c.moment, _FILES.c.id).execution_options(yield_per=1000)
        found: list[str] = []
        with self._engine.connect() as connection, connection.execute(query) as rows:
            for row in rows:
                if held <= 0:
                    break
                found.append(row.id)
                held -= row.bytes
        return found

    def unfinished(self, before: int) -> list[StoredFile]:
        """The files that were declared before a moment, and never came whole, or are set aside."""
        query = sa.select(_FILES).where(_IS_TO_COME, _FILES.c.moment < before)
        with self._engine.connect() as connection:
            return [_file_of(row) for row in connection.execute(query)]

    def agents(self) -> list[str]:
        """The agents that made files."""
        query = sa.select(_FILES.c.agent).where(_IS_WHOLE, _FILES.c.agent != "").distinct()
        with self._engine.connect() as connection:
            return sorted(connection.scalars(query))

    def spending(self, days: int) -> list[dict[str, Any]]:
        """What was spent on files of the last days: by day, counted since 1970, and agent."""
        day = _FILES.c.moment // _DAY_MICROSECONDS
        today = microseconds_now() // _DAY_MICROSECONDS
        spent = sa.func.sum(_FILES.c.cost_usd)
        query = (
            sa.select(day.label("day"), _FILES.c.agent, spent.label("usd"))
            .where(_IS_WHOLE, _FILES.c.cost_usd > 0)
            .where(_FILES.c.moment >= (today - days + 1) * _DAY_MICROSECONDS)
            .group_by(day, _FILES.c.agent)
            .order_by(day, _FILES.c.agent)
        )
        with self._engine.connect() as connection:
            return [
                {"day": int(row.day), "agent": row.agent, "usd": round(row.usd, 6)}
                for row in connection.execute(query)
            ]


def _conditions(choice: Choice) -> list[sa.ColumnElement[bool]]:
    """What the index asks of a file that is wanted."""
    conditions: list[sa.ColumnElement[bool]] = []
    if choice.kind:
        conditions.append(_FILES.c.kind == choice.kind)
    if choice.agent:
        conditions.append(_FILES.c.agent == choice.agent)
    if choice.before:
        conditions.append(sa.tuple_(_FILES.c.moment, _FILES.c.id) < choice.before)
    if choice.since is not None:
        conditions.append(_FILES.c.moment >= choice.since)
    for word in choice.words.split()[:10]:
        pattern = f"%{_escaped(word)}%"
        columns = (_FILES.c.title, _FILES.c.name, _FILES.c.tool, _FILES.c.model, _FILES.c.agent)
        conditions.append(sa.or_(*(one.ilike(pattern, escape="\\") for one in columns)))
    return conditions


def _has_nul(*texts: str) -> bool:
    """Whether one of these is in no index: PostgreSQL takes no NUL, not even to compare."""
    return any("\0" in text for text in texts)


def _escaped(text: str) -> str:
    """A text as itself in a pattern of LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _file_of(row: Row[Any]) -> StoredFile:
    """A row of the index."""
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's documented way to a row's names
    # Older servers took numbers that JSON has not, which no page could be told.
    facts = json.loads(values["facts"], parse_constant=str)
    return StoredFile(**{**values, "facts": facts})
