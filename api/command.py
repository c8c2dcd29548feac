"""The command line, `gohelle`: the operator's and the town hall's door. Exit codes: 0 done, 1 refused, 2 misused."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from api import beside, imports, postroom, staffing
from api.exported import SUFFIXES
from api.exported import export as write_export
from geo import backup as backups
from geo import register, schema
from geo.collections import territory as read_territory
from geo.db import Database
from geo.errors import Broken, GohelleError, Problematic, Unavailable
from geo.files import ImportRequest, is_address
from geo.kinds import KINDS
from geo.packs import CommuneFound, commune
from geo.register.lifecycle import Act
from geo.settings import Settings
from seed import opendata, skeleton
from seed import pack as packs

app = typer.Typer(
    name="gohelle",
    help="A commune shows its ecological transition on a map, lets residents add to it, and plans with it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
town_hall = typer.Typer(help="What residents declared, and the town's decisions.", no_args_is_help=True)
app.add_typer(town_hall, name="register")
app.add_typer(postroom.app, name="outbox")
app.add_typer(staffing.app, name="staff")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line; what goes wrong on purpose is one sentence, not a traceback."""
    try:
        app()
    except Problematic as error:
        for problem in error.problems:
            where = problem.parameter or problem.pointer or ""
            err.print(f"gohelle: {where + ' ' if where else ''}{problem.message}", markup=False)
        sys.exit(1)
    except GohelleError as error:
        err.print(f"gohelle: {error}", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


@contextmanager
def database() -> Iterator[Database]:
    """The database of the environment, closed at the end."""
    db = Database(Settings.from_env())
    try:
        yield db
    finally:
        db.close()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [env GOHELLE_HOST, else 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [env GOHELLE_PORT, else 8000].")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes [env GOHELLE_WORKERS, else one a core, 4 at most].")
    ] = None,
) -> None:
    """Serve the map, the pages and the API."""
    import os  # noqa: PLC0415 (workers are told by the environment, which only this command writes)
    import signal  # noqa: PLC0415
    from contextlib import nullcontext  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415 (the other commands do without)

    from api.logs import configure_logging  # noqa: PLC0415

    for name, value in (("GOHELLE_HOST", host), ("GOHELLE_PORT", port), ("GOHELLE_WORKERS", workers)):
        if value is not None:
            os.environ[name] = str(value)
    settings = Settings.from_env()
    configure_logging(settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # not before the worker has ended
    with beside.worker() if settings.jobs else nullcontext():
        uvicorn.run(
            "api.app:from_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers if settings.workers > 1 else None,
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=True,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            timeout_graceful_shutdown=10,
        )


@app.command()
def work(
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True, help="End with standard input.")] = False,
) -> None:
    """Send letters and do what is done by the clock, where `gohelle serve` runs with GOHELLE_JOBS=off."""
    from api.logs import configure_logging  # noqa: PLC0415 (the other commands do without)
    from api.work import run  # noqa: PLC0415

    settings = Settings.from_env()
    configure_logging(settings)
    run(settings, lifeline=lifeline)


@app.command()
def migrate(
    down: Annotated[bool, typer.Option("--down", help="Undo every migration: all data are lost.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --down: do not ask.")] = False,
) -> None:
    """Bring the database to the shape that this version needs."""
    settings = Settings.from_env()
    if down:
        if not yes:
            typer.confirm("This deletes every row of the territory and of the register. Go on?", abort=True)
        schema.downgrade(settings)
        out.print("the database holds nothing of Gohelle's any more")
        return
    schema.upgrade(settings)
    out.print(f"the database is at revision {schema.expected()}")


@app.command()
def seed(
    folder: Annotated[Path | None, typer.Argument(help="The pack [env GOHELLE_PACK, else Loos-en-Gohelle].")] = None,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Only where no territory was loaded yet.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="In the place of another territory's pack.")] = False,
) -> None:
    """Load a territory pack; again, to bring its changes in. Ids stay, so permalinks live."""
    with database() as db:
        done = packs.load(db, folder or Settings.from_env().pack, if_empty=if_empty, replace=replace)
    if done is None:
        out.print("a territory is loaded already")
        return
    for kind, written in done.items():
        out.print(f"{kind:14} {written.inserted:6} new {written.updated:6} changed {written.deleted:6} gone")


@app.command("check-pack")
def check_pack(folder: Annotated[Path, typer.Argument(help="The pack's folder.")]) -> None:
    """Tell everything that is wrong in a territory pack, by file and by line or feature. Needs no database."""
    found = packs.read(folder)
    for finding in found.findings:
        out.print(str(finding), markup=False)
    if found.findings:
        err.print(f"{len(found.findings)} to mend; `gohelle seed` loads the pack when there are none", markup=False)
        raise typer.Exit(1)
    out.print(f"nothing is wrong: {len(found.collections)} collections, {len(found.entries)} features and lines")


@app.command("new-pack")
def new_pack(
    insee: Annotated[str, typer.Argument(help="The commune's INSEE code, such as 62528.")],
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    language: Annotated[list[str] | None, typer.Option(help="The texts' language, then others [fr].")] = None,
) -> None:
    """Write a new pack's commented skeleton, with the commune's name and bounds where its outline was imported."""
    found = _commune(insee)
    skeleton.write(folder, insee, language or ["fr"], found)
    known = found.name if found else "no outline of it was imported, so fill in its name and bounds"
    out.print(f"{folder} is written ({known}); begin with {folder / 'territory.toml'}", markup=False)


def _commune(insee: str) -> CommuneFound | None:
    """What the database knows of the commune; nothing, where there is no database or it holds nothing of ours."""
    with database() as db:
        try:
            with db.read() as tx:
                return commune(tx, insee)
        except (Unavailable, Broken):
            return None


@app.command("import")
def import_(
    file: Annotated[
        str | None, typer.Argument(help="A file or an https address; with --pack, the pack's folder.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help=f"One of: {', '.join(KINDS)}.")] = None,
    mapping: Annotated[str | None, typer.Option(help="How fields map: a name of the datasets, or a TOML file.")] = None,
    pack: Annotated[bool, typer.Option("--pack", help="All datasets of the pack [env GOHELLE_PACK].")] = False,
    from_: Annotated[Path | None, typer.Option("--from", help="With --pack: a folder that has their files.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; change nothing.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what an earlier file of the dataset had.")] = False,
    append: Annotated[bool, typer.Option("--append", help="Leave what is known as it is.")] = False,
    layer: Annotated[str | None, typer.Option(help="The layer, where a file has several.")] = None,
    crs: Annotated[str | None, typer.Option(help="The CRS, where the file does not say, as EPSG:2154.")] = None,
    upsert: Annotated[str | None, typer.Option(help="The field, or template of fields, that is the key.")] = None,
    rejected: Annotated[Path | None, typer.Option(help="A CSV file for the rows that were refused.")] = None,
    largest_mb: Annotated[float | None, typer.Option(min=0.001, help="What a fetched file may have [500].")] = None,
) -> None:
    """Load open data into a kind, in one transaction, and report what became of each row. Or all that a pack names."""
    import os  # noqa: PLC0415 (only for the one variable that tests and private networks need)

    if replace and append:
        raise typer.BadParameter("goes without --append", param_hint="--replace")
    settings = Settings.from_env()
    how: dict[str, Any] = {
        "mode": "replace" if replace else "append" if append else "upsert",
        "dry_run": dry_run,
        "largest_mb": largest_mb,
        "any_host": os.environ.get("GOHELLE_IMPORT_ANY_HOST") == "1",
    }
    single = {"layer": layer, "crs": crs, "key": upsert, "rejected": rejected}
    if pack:
        _only_alone({"--kind": kind, "--mapping": mapping, "--layer": layer, "--crs": crs})
        _only_alone({"--upsert": upsert, "--rejected": rejected})
        found = opendata.errands(Path(file) if file else settings.pack, from_, **how)
        done = imports.import_many(settings, [(one.name, one.request, one.missing) for one in found])
    else:
        request = ImportRequest(**_asked(file, kind, mapping, from_), **single, **how)
        done = imports.import_one(settings, request)
    if not done:
        raise typer.Exit(1)


def _only_alone(options: dict[str, Any]) -> None:
    """Options that speak of one file say nothing about a pack."""
    for name, value in options.items():
        if value is not None:
            raise typer.BadParameter("is for one file, and goes without --pack", param_hint=name)


def _asked(file: str | None, kind: str | None, mapping: str | None, from_: Path | None) -> dict[str, Any]:
    """The three that an import of one file cannot do without."""
    absent = [name for name, value in (("FILE", file), ("--kind", kind), ("--mapping", mapping)) if not value]
    if absent or not file:
        raise typer.BadParameter(f"an import needs {', '.join(absent)}; or --pack, for all datasets of a pack")
    if kind not in KINDS:
        raise typer.BadParameter(f"must be one of: {', '.join(KINDS)}", param_hint="--kind")
    if from_:
        raise typer.BadParameter("goes with --pack only", param_hint="--from")
    return {"file": file if is_address(file) else Path(file), "kind": kind, "mapping": mapping}


@app.command()
def export(
    collection: Annotated[str, typer.Argument(help="The collection's id.")],
    file: Annotated[Path, typer.Argument(help=f"Where to write; its ending names the format: {', '.join(SUFFIXES)}.")],
    asked: Annotated[
        list[str] | None,
        typer.Option(
            "--ask", help="A parameter as in the collection's address: filter=..., crs=..., bbox=..., lang=..."
        ),
    ] = None,
) -> None:
    """Write a collection's items into a file: those that the service gives to everybody."""
    pairs = [(name, value) for name, _, value in (one.partition("=") for one in asked or ())]
    done = write_export(Settings.from_env(), collection, file, pairs)
    out.print(f"{done.rows} items written to {file}", markup=False)
    for lack in done.lacks:
        out.print(lack, markup=False)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; an older backup there is replaced.")]) -> None:
    """Write everything, residents' declarations too, to one file, as of this moment. The service may go on."""
    done = backups.backup(Settings.from_env(), file, now=datetime.now(UTC))
    out.print(
        f"{file}: {file.stat().st_size / 1e6:.1f} MB, {_told_of(done)}. It holds what residents entrusted to the town: "
        "keep it where only the town can read it",
        markup=False,
    )


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `gohelle backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Over what the database holds now, which is lost.")
    ] = False,
) -> None:
    """Put a backup into an empty or a new database, whole or not at all. Stop the service first."""
    done = backups.restore(Settings.from_env(), file, replace=replace)
    out.print(f"restored from {done.manifest.made_at}: {_told_of(done.manifest)}", markup=False)
    if done.migrated_from:
        out.print(f"and brought up from revision {done.migrated_from} to {schema.expected()}")


def _told_of(manifest: backups.Manifest) -> str:
    declared = manifest.rows.get("register.declarations", 0)
    return f"{manifest.territory or 'no territory yet'}, {sum(manifest.rows.values())} rows, {declared} declarations"


@town_hall.command("list")
def list_(
    state: Annotated[str, typer.Option(help="A state of the life cycle, or `all`.")] = "confirmed",
) -> None:
    """The declarations that wait for a decision, oldest first."""
    with database() as db, db.write() as tx:
        waiting = register.queue(tx, state=None if state == "all" else state)
    table = Table("id", "received", "state", "technology", "kW", "year", "owner", "shown as", "address", "words")
    for one in waiting:
        received = one.received_at.strftime("%Y-%m-%d %H:%M")
        cells = (one.id, received, one.state, one.technology, one.power_kw, one.year, one.owner_kind, one.precision)
        table.add_row(*(_cell(cell) for cell in (*cells, one.address, one.words)))
    Console(width=None if sys.stdout.isatty() else 240).print(table)
    out.print(f"{len(waiting)} declarations")


def _cell(value: object) -> str:
    """A value as text that the terminal takes literally: residents' words hold neither markup nor control codes."""
    from rich.markup import escape  # noqa: PLC0415

    text = "" if value is None else str(value)
    return escape("".join(char if char.isprintable() else " " for char in text))


@town_hall.command()
def approve(id: UUID) -> None:
    """Make a declaration public, at the precision that its owner chose."""
    _decide(id, "approve", None)


@town_hall.command()
def reject(id: UUID, reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")]) -> None:
    """Refuse a declaration; nothing of it becomes public."""
    _decide(id, "reject", reason)


def _decide(id: UUID, act: Act, reason: str | None) -> None:
    with database() as db, db.write() as tx:
        state = register.decide(
            tx,
            id,
            act,
            territory=read_territory(tx),
            actor=register.Actor.at_the_command_line(getpass.getuser()),
            now=datetime.now(UTC),
            reason=reason,
        )
    out.print(f"{id} is {state}")


@app.callback(invoke_without_command=True)
def about(
    show_version: Annotated[bool, typer.Option("--version", help="Say which version this is.", is_eager=True)] = False,
) -> None:
    """Options of the program itself."""
    if show_version:
        out.print(f"gohelle {version('gohelle')}")
        raise typer.Exit


if __name__ == "__main__":
    main()
