"""What may fail: a line each, and how it is made to."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from core.tests.waiting import wait_until
from tests.processes import signal_group

from .world import World, family_of, forbid_files

CLOSE = "close_all_connections test"
WATERMARK = "set_vm_memory_high_watermark"


@contextmanager
def between(fault: Callable[[], object], cure: Callable[[], object]) -> Iterator[None]:
    fault()
    try:
        yield
    finally:
        cure()


def nothing() -> None:
    """Cure what is over at once."""


def broker_told(world: World, fault: str, cure: str = "") -> AbstractContextManager[None]:
    """Do this with rabbitmqctl; commands are separated by semicolons."""

    def tell(commands: str) -> None:
        for command in filter(None, commands.split(";")):
            world.rabbitmqctl(*command.split())

    return between(partial(tell, fault), partial(tell, cure))


def redis_told(world: World, fault: str, cure: str = "") -> AbstractContextManager[None]:
    return between(lambda: world.ask_redis(*fault.split()), lambda: cure and world.ask_redis(*cure.split()))


def database_connections_ended(world: World) -> AbstractContextManager[None]:
    others = "pid <> pg_backend_pid() AND usename IS NOT NULL"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    return between(lambda: world.ask_postgresql(end), nothing)


@contextmanager
def met(fault: AbstractContextManager[object], count: Callable[[], int]) -> Iterator[None]:
    """Keep a fault of the mail server until somebody has met it."""
    before = count()
    with fault:
        yield
        wait_until(lambda: count() > before)


def no_line(world: World, fault: AbstractContextManager[object]) -> AbstractContextManager[None]:
    return met(fault, lambda: world.smtp_proxy.came)


def answers(world: World, reply: str, *commands: str) -> AbstractContextManager[None]:
    before = {command: world.smtp.answers.get(command, "250 ok") for command in commands}
    fault = partial(world.smtp.answers.update, dict.fromkeys(commands, reply))
    return met(between(fault, partial(world.smtp.answers.update, before)), lambda: world.smtp.said.count(reply))


def certificate_of_another(world: World) -> AbstractContextManager[None]:
    other, ours = partial(setattr, world.smtp, "tls", world.other_certificate), world.smtp.tls
    fault = between(other, partial(setattr, world.smtp, "tls", ours))
    return met(fault, lambda: world.smtp.said.count("TLSV1_ALERT_UNKNOWN_CA"))


def to_buyers(world: World, answer: str) -> AbstractContextManager[None]:
    """Answer so when a mail for one of the next buyers comes: nobody else's has failed for the second time then."""
    return answers(world, answer, *(f"rcpt to:<{address}>" for address in world.next_addresses))


def buyers_unknown(world: World) -> AbstractContextManager[None]:
    """Nobody knows the next buyers at the mail server, now and later: their mails fail for good."""
    world.refused += world.next_addresses
    unknown = {f"rcpt to:<{address}>": "550 nobody here" for address in world.next_addresses}
    return between(lambda: world.smtp.answers.update(unknown), nothing)


def disk_full(world: World, name: str) -> AbstractContextManager[None]:
    family = family_of(world.process(name).pid)
    return between(partial(forbid_files, family, "0"), partial(forbid_files, family, "unlimited"))


def killed(world: World, name: str) -> AbstractContextManager[None]:
    return between(lambda: signal_group(world.process(name), signal.SIGKILL), nothing)


Fault = Callable[[World], AbstractContextManager[object]]
BROKER: dict[str, Fault] = {
    "RabbitMQ restarted": lambda world: broker_told(world, "stop_app", "start_app"),
    "RabbitMQ closes its connections": lambda world: broker_told(world, CLOSE),
    "RabbitMQ out of memory": lambda world: broker_told(world, f"{WATERMARK} 0.000001", f"{WATERMARK} 0.6"),
    "RabbitMQ has another password": lambda world: broker_told(
        world, f"change_password guest another; {CLOSE}", "change_password guest guest"
    ),
}
REDIS: dict[str, Fault] = {
    "Redis stopped": lambda world: world.redis.stopped(),
    "Redis hangs": lambda world: world.redis.hung(),
    "Redis flushed": lambda world: redis_told(world, "FLUSHALL"),
    "Redis read-only": lambda world: redis_told(world, "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "Redis full": lambda world: redis_told(world, "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
}
DATABASE: dict[str, Fault] = {
    "PostgreSQL ends its connections": database_connections_ended,
    "PostgreSQL restarted": lambda world: world.postgresql.stopped(),
    "PostgreSQL hangs": lambda world: world.postgresql.hung(),
    "PostgreSQL's disk full": lambda world: world.disk.full(),
}
MAIL: dict[str, Fault] = {
    "mail server hangs up after the mail": lambda world: answers(world, "", "."),
    "mail server says later": lambda world: to_buyers(world, "450 later"),
    "mail server does not know the buyers": buyers_unknown,
    "mail server refuses": lambda world: no_line(world, world.smtp_proxy.refusing()),
    "mail server hangs": lambda world: no_line(world, world.smtp_proxy.hanging()),
    "mail server is closing": lambda world: answers(world, "421 closing", "EHLO", "HELO"),
    "mail server shows another's certificate": certificate_of_another,
    "mail server has another password": lambda world: answers(world, "535 wrong", "AUTH"),
}
WORKER: dict[str, Fault] = {
    "disk of the worker full": lambda world: disk_full(world, "worker"),
    "worker killed": lambda world: killed(world, "worker"),
}
WEB: dict[str, Fault] = {
    "disk of the web full": lambda world: disk_full(world, "web"),
    "web killed": lambda world: killed(world, "web"),
    "beat killed": lambda world: killed(world, "beat"),
}
FAULTS = {**BROKER, **REDIS, **DATABASE, **MAIL, **WORKER, **WEB}
