"""What the four types of records look like: plain values, as an application would hold them.

Every field that the schema calls optional is missing now and then.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Record = dict[str, Any]
MESSAGE = "Your seats are waiting"
"""Every message body begins with these words, so that one can be recognised where it does not belong."""

MAIL = "fans.example.com"
"""Domain of every address, which nothing else has."""

_GENRES = (("Music", "Rock", "Alternative"), ("Sports", "Basketball", "NBA"), ("Arts & Theatre", "Musical", "Broadway"))
_CITIES = (("Nashville", -86.78, 36.16), ("Austin", -97.74, 30.27), ("Zürich", 8.54, 47.38), ("東京", 139.69, 35.68))
_STATUSES = ("CREATED", "TRIGGERED", "QUEUED", "SENT", "DELIVERED", "FAILED")
_MISSING = 0.2  # share in which an optional field is missing


def make_demand(random: Random, day: date) -> Record:
    """A fan's request to hear about a sale."""
    fan, event, sale = _fan(random), _event(random), _number(random, "sale", 400)
    requested = moment_in(random, day)
    record: Record = {
        "type": "demand",
        "fanId": fan,
        "eventId": event,
        "saleId": sale,
        "requestedDateTime": stamp(requested),
        "date": {"requested": stamp(requested)},
    }
    if random.random() < 0.5:
        record["date"]["triggered"] = stamp(requested + timedelta(hours=random.randrange(1, 48)))
        record["date"]["notified"] = stamp(requested + timedelta(hours=random.randrange(48, 72)))
    _sometimes(
        random,
        record,
        artistId=lambda: _number(random, "artist", 90),
        artistName=lambda: f"The Example {random.randrange(90)}",
        eventName=lambda: f"Example Tour, night {random.randrange(9)}",
        saleName=lambda: "Presale",
        phoneNumber=lambda: _phone(random),
        email=lambda: f"{fan}@{MAIL}",
        contactMethod=lambda: random.choice(("sms", "email")),
        demandType=lambda: random.choice(("remind", "invite")),
        systemUserId=lambda: f"{random.randrange(10**6)}-{random.randrange(9)}.{random.randrange(10**5)}",
        isDeleted=lambda: False,
    )
    return record


def make_notification(random: Random, day: date) -> Record:
    """A message to a fan, and how far it got."""
    fan = _fan(random)
    created = moment_in(random, day)
    record: Record = {
        "type": "notification",
        "fanId": fan,
        "eventId": _event(random),
        "saleId": _number(random, "sale", 400),
        "date": {"created": stamp(created)},
    }
    if random.random() < 0.7:
        record["date"]["updated"] = stamp(created + timedelta(minutes=random.randrange(1, 90)))
    _sometimes(
        random,
        record,
        saleName=lambda: "Public sale",
        messageBody=lambda: f"{MESSAGE}, {fan}: the sale starts at {created:%H:%M}.",
        phoneNumber=lambda: _phone(random),
        email=lambda: f"{fan}@{MAIL}",
        contactMethod=lambda: random.choice(("sms", "email")),
        statusId=lambda: random.choice(_STATUSES),
    )
    return record


def make_event(random: Random, day: date) -> Record:
    """A concert, a match, a show."""
    event = _event(random)
    start = moment_in(random, day) + timedelta(days=60)
    record: Record = {"type": "event", "id": event}
    _dates_of_event(random, record, moment_in(random, day), start)
    _sometimes(
        random,
        record,
        name=lambda: f"Example Tour, night {random.randrange(9)}",
        isSuppressed=lambda: random.random() < 0.05,
        url=lambda: f"https://www.example.com/event/{event}",
        locale=lambda: random.choice(("en-us", "de-ch", "ja-jp")),
        classifications=lambda: [_classification(random) for _ in range(random.randrange(3))],
        images=lambda: [_image(event, width) for width in (640, 1024, 2048)[: random.randrange(4)]],
        promoter=lambda: _promoter(random),
        promoters=lambda: [_promoter(random) for _ in range(random.randrange(3))],
        ticketing=lambda: {"safeTix": random.random() < 0.5},
        venues=lambda: [_venue(random)],
        attractions=lambda: [_attraction(random) for _ in range(random.randrange(1, 4))],
    )
    return record


def make_sale(random: Random, day: date) -> Record:
    """A sale of an event's tickets."""
    start = moment_in(random, day)
    record: Record = {
        "type": "sale",
        "id": _number(random, "sale", 10**6),
        "eventId": _event(random),
        "saleTypes": random.sample(("presale", "public", "resale", "vip"), random.randrange(1, 4)),
        "saleStartDateTime": stamp(start),
    }
    _sometimes(
        random,
        record,
        name=lambda: "Presale",
        saleStartDate=lambda: day.isoformat(),
        saleEndDateTime=lambda: stamp(start + timedelta(days=random.randrange(1, 30))),
    )
    return record


MAKERS: dict[str, Callable[[Random, date], Record]] = {
    "demand": make_demand,
    "notification": make_notification,
    "event": make_event,
    "sale": make_sale,
}


def moment_in(random: Random, day: date) -> datetime:
    """A moment of a day, in UTC."""
    return datetime.combine(day, time(), UTC) + timedelta(milliseconds=random.randrange(86_400_000))


def stamp(moment: datetime) -> str:
    """A moment as the records hold it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sometimes(random: Random, record: Record, **fields: Callable[[], Any]) -> None:
    for name, make in fields.items():
        if random.random() >= _MISSING:
            record[name] = make()


def _dates_of_event(random: Random, record: Record, first_seen: datetime, start: datetime) -> None:
    """Most events say when they were first seen; of some the start must do, so it is then the business date."""
    seen = random.random() < 0.8
    date_of_start = start if seen else first_seen
    record["eventDate"] = {"start": {"dateTime": stamp(date_of_start), "localDate": f"{date_of_start:%Y-%m-%d}"}}
    if random.random() < 0.3:
        record["eventDate"]["end"] = {"dateTime": stamp(date_of_start + timedelta(hours=3))}
    if seen:
        record["date"] = {
            "firstSeen": stamp(first_seen),
            "updated": stamp(first_seen + timedelta(hours=random.randrange(1, 90))),
        }


def _classification(random: Random) -> Record:
    segment, genre, sub_genre = random.choice(_GENRES)
    return {"segment": segment, "genre": genre, "subGenre": sub_genre, "type": "Undefined", "subType": "Undefined"}


def _image(event: str, width: int) -> Record:
    url = f"https://images.example.com/{event}/{width}.jpg"
    return {"url": url, "width": width, "height": width * 9 // 16, "attribution": None}


def _promoter(random: Random) -> Record:
    number = random.randrange(40)
    return {"id": f"promoter-{number}", "name": f"Example Live {number}"}


def _venue(random: Random) -> Record:
    city, longitude, latitude = random.choice(_CITIES)
    return {
        "name": f"{city} Hall",
        "address": f"{random.randrange(1, 400)} Example Street, {city}",
        "location": {"longitude": longitude, "latitude": latitude},
        "markets": [{"id": "1", "name": city}],
    }


def _attraction(random: Random) -> Record:
    number = random.randrange(90)
    kind = random.choice(("event", "venue", "attraction"))
    return {"id": f"artist-{number}", "name": f"The Example {number}", "type": kind}


def _fan(random: Random) -> str:
    return _number(random, "fan", 10**9)


def _event(random: Random) -> str:
    return _number(random, "event", 600)


def _number(random: Random, what: str, below: int) -> str:
    return f"{what}-{random.randrange(below)}"


def _phone(random: Random) -> str:
    return f"+1-555-01{random.randrange(100):02}"
