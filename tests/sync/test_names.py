"""Names as Vietnamese readers compare, look up and sort them: tables of examples, and what holds for any text."""

import unicodedata
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.names import KEY_LENGTH, search_key, sort_key, tone_key

FEW = settings(max_examples=200, deadline=None, derandomize=True, database=None)
VOWELS = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵ"
WORDS = [
    "Nguyễn", "Thị", "Văn", "Hoa", "Hòa", "Hoà", "Hóa", "Đào", "Dao", "An", "Ân", "Ánh", "Bình", "Dũng", "Em", "Quý",
    "Qúy", "Thạch", "Sa", "Rết", "Danh", "Lâm", "Siêu", "Quần", "H'Mai", "Út", "Ưng", "Ê", "F", "Wa",
]  # fmt: skip
usual = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
names = usual | st.text(max_size=30)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Nguyễn Thị Đào", "nguyen thi dao"),
        ("Nguyễn Thị \u00d0ào", "nguyen thi dao"),  # Icelandic eth
        ("Nguye\u0302\u0303n  Thi\u0323\u00a0Đa\u0300o ", "nguyen thi dao"),
        ("Ưng Hoàng Ý", "ung hoang y"),
        ("ĐẶNG ĐỨC ĐỘ", "dang duc do"),
        ("Thạch Sa Rươne", "thach sa ruone"),  # Khmer, in Latin letters
        ("Quách Vĩ Cường", "quach vi cuong"),  # Hoa
        ("H'Mai Niê", "h'mai nie"),
        ("Trai", "trai"),
        ("សុខា", "សុខា"),  # Khmer vowels are marks: without them the name would be another
        ("李小龙", "李小龙"),
        ("", ""),
    ],
)
def test_search_key(name: str, key: str) -> None:
    assert search_key(name) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà", "Hòa"),
        ("Thuỳ", "Thùy"),
        ("Quý", "Qúy"),
        ("Khoẻ", "Khỏe"),
        ("Thuý  An", "thúy an"),
        ("Đình", "\u00d0i\u0300nh"),
        ("HOÀNG", "Hoàng"),
    ],
)
def test_one_name_in_two_spellings(one: str, other: str) -> None:
    assert tone_key(one) == tone_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hòa", "Hoa"), ("Hòa", "Hóa"), ("Hóa", "Hoã"), ("An", "Ân"), ("Ân", "Ăn"), ("Dung", "Đung"),
        ("Dung", "Dũng"), ("Lê Hòa", "Lệ Hoa"), ("Tu", "Tư"), ("Thi An", "Thian"),
    ],
)  # fmt: skip
def test_two_names(one: str, other: str) -> None:
    assert tone_key(one) != tone_key(other)


def test_the_tone_key_can_be_read() -> None:
    assert tone_key("Nguyễn Thị Hoà") == "nguyên3 thi5 hoa1"


def test_names_sort_by_given_name_in_the_order_of_the_alphabet() -> None:
    given_names = [
        "An", "Anh", "Ánh", "Ân", "Bình", "Cúc", "Dung", "Dũng", "Đào", "Em", "Én", "Hoa", "Hòa", "Hỏa", "Hõa", "Hóa",
        "Họa", "Hoài", "Lan", "Oanh", "Ôn", "Ơn", "Quý", "Tâm", "Út", "Uyên", "Ưng", "Y", "Ý", "Zin",
    ]  # fmt: skip
    shuffled = [f"Trần Thị {name}" for name in given_names]
    Random(5).shuffle(shuffled)
    assert [name.split()[-1] for name in sorted(shuffled, key=sort_key)] == given_names


def test_the_same_given_name_by_middle_names_then_family() -> None:
    names = [
        "Hoa",
        "Danh Hoa",
        "Thạch Hoa",
        "Lê Ngọc Hoa",
        "Bùi Thị Hoa",
        "Đặng Thị Hoa",
        "Nguyễn Thị Hoa",
        "Lê Thị Ánh Hoa",
        "Lê Thị Mai Hoa",
        "An Hòa",
        "Thạch Sa Rết",
        "Tăng Vĩnh Phát 2",
    ]
    shuffled = names[:]
    Random(7).shuffle(shuffled)
    assert sorted(shuffled, key=sort_key) == names


def test_every_vowel_has_its_place() -> None:
    """The dictionary: letters first, tones only between words of the same letters."""
    assert sorted(VOWELS, key=sort_key) == list(VOWELS)
    assert sorted(["mát", "mạ", "má", "mà", "ma", "mả", "mã"], key=sort_key)[:6] == [
        "ma",
        "mà",
        "mả",
        "mã",
        "má",
        "mạ",
    ]


@FEW
@given(names)
def test_a_key_is_the_same_however_the_name_was_typed(name: str) -> None:
    decomposed, spaced = unicodedata.normalize("NFD", name), f"  {name.replace(' ', '   ')} "
    eth = name.replace("Đ", "\u00d0").replace("đ", "\u00f0")
    for other in (decomposed, spaced, eth):
        assert search_key(other) == search_key(name)
        assert tone_key(other) == tone_key(name)
        assert sort_key(other) == sort_key(name)


@FEW
@given(names)
def test_the_search_key_of_a_search_key_is_itself(name: str) -> None:
    key = search_key(name)
    assert search_key(key) == key
    assert len(key) <= KEY_LENGTH
    assert key == key.strip() and "  " not in key


@FEW
@given(usual, usual)
def test_the_same_tone_key_has_the_same_search_and_sort_key(one: str, other: str) -> None:
    if tone_key(one) == tone_key(other):
        assert search_key(one) == search_key(other)
        assert sort_key(one) == sort_key(other)


@FEW
@given(st.sampled_from("ou"), st.sampled_from(["\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]))
def test_a_tone_on_the_first_or_second_vowel_is_the_same_tone(first: str, tone: str) -> None:
    for second in "aeoy":
        old = unicodedata.normalize("NFC", f"H{first}{tone}{second}")
        new = unicodedata.normalize("NFC", f"H{first}{second}{tone}")
        assert tone_key(old) == tone_key(new) != tone_key(f"H{first}{second}")


def test_a_very_long_name_has_keys_that_can_be_indexed() -> None:
    long = "Ưỡ 李" * 4_000
    assert len(search_key(long)) <= KEY_LENGTH
    assert len(sort_key(long)) <= KEY_LENGTH
