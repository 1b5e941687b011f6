"""The ward lists, their map, the hamlets and the calendar, as they are shipped in `config`.

Counts: 103 wards of Cần Thơ since 1 July 2025, out of 263 old ones, three of which were split.
"""

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

CONFIG = Path(__file__).parents[2] / "config"


def table(path: str) -> list[dict[str, str]]:
    with (CONFIG / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


WARDS = table("areas/wards.csv")
KEYS = [(ward["list"], ward["code"]) for ward in WARDS]


def test_there_are_103_wards_today_and_263_before() -> None:
    assert Counter(ward["list"] for ward in WARDS) == {"2025": 103, "2024": 263}
    assert len(set(KEYS)) == len(KEYS)
    for ward in WARDS:
        assert re.fullmatch(r"\d{5}", ward["code"])
        assert ward["name_vi"].startswith(f"{ward['type_vi']} ")
        assert ward["province_vi"]
        assert (ward["list"] == "2025") == bool(ward["lat"] and ward["lon"]) != bool(ward["district_vi"])


def test_wards_of_today_lie_in_the_mekong_delta() -> None:
    for ward in WARDS:
        if ward["list"] == "2025":
            assert 9 < float(ward["lat"]) < 10.5, ward
            assert 105 < float(ward["lon"]) < 106.5, ward


def test_every_old_ward_has_its_successor_and_three_have_two() -> None:
    rows = table("areas/ward_map.csv")
    successors = Counter((row["from_list"], row["from_code"]) for row in rows)
    assert set(successors) == {key for key in KEYS if key[0] == "2024"}
    assert {(row["to_list"], row["to_code"]) for row in rows} == {key for key in KEYS if key[0] == "2025"}
    for row in rows:
        assert (row["split"] == "1") == (successors[row["from_list"], row["from_code"]] == 2), row
    assert {row["from_code"] for row in rows if row["split"] == "1"} == {"31178", "31183", "31207"}
    assert sum(row["sources_agree"] == "0" for row in rows) == 16


def test_hamlets_have_two_digits_a_known_ward_and_a_known_origin() -> None:
    rows = table("areas/hamlets.csv")
    keys = [(row["list"], row["ward"], row["code"]) for row in rows]
    origins = [(row["from_list"], row["from_ward"], row["from_code"]) for row in rows if row["from_list"]]
    assert len(set(keys)) == len(keys) and len(set(origins)) == len(origins)
    moved = {(row["from_code"], row["to_code"]) for row in table("areas/ward_map.csv")}
    for row in rows:
        assert row["invented"] == "1" and row["name_vi"]
        assert (row["list"], row["ward"]) in KEYS
        assert re.fullmatch(r"\d{2}", row["code"]) and row["code"] != "00"  # 00, "not known", is every ward's
        assert not row["from_list"] or (row["from_ward"], row["ward"]) in moved
    assert Counter(row["ward"] for row in rows) == {"31120": 4, "31135": 8, "31321": 4, "31687": 7}


def test_days_of_the_calendar_are_dates_named_once() -> None:
    rows = table("holidays_vn.csv")
    days = [date.fromisoformat(row["date"]) for row in rows]
    assert sorted(set(days)) == days
    kinds = {(row["kind"], row["is_working_day"]) for row in rows}
    assert kinds == {("swap_off", "0"), ("swap_work", "1"), ("holiday", "0")}
    assert all(row["name_vi"] and row["basis"] and row["predicted"] in "01" for row in rows)
