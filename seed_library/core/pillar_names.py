"""What stems, branches, elements and images are called. Rules are in `core.pillars`; here are only names."""

from __future__ import annotations

from typing import NamedTuple


class Named(NamedTuple):
    """A thing with its Chinese character(s), pinyin, and its English and German name."""

    chinese: str
    pinyin: str
    en: str
    de: str


ELEMENT_NAMES = {
    "wood": ("Wood", "Holz"),
    "fire": ("Fire", "Feuer"),
    "earth": ("Earth", "Erde"),
    "metal": ("Metal", "Metall"),
    "water": ("Water", "Wasser"),
}

STEMS = (
    ("甲", "jiǎ"),
    ("乙", "yǐ"),
    ("丙", "bǐng"),
    ("丁", "dīng"),
    ("戊", "wù"),
    ("己", "jǐ"),
    ("庚", "gēng"),
    ("辛", "xīn"),
    ("壬", "rén"),
    ("癸", "guǐ"),
)

# The English name in lower case is the key that the app asks for.
BRANCHES = (
    Named("子", "zǐ", "Rat", "Ratte"),
    Named("丑", "chǒu", "Ox", "Ochse"),
    Named("寅", "yín", "Tiger", "Tiger"),
    Named("卯", "mǎo", "Rabbit", "Hase"),
    Named("辰", "chén", "Dragon", "Drache"),
    Named("巳", "sì", "Snake", "Schlange"),
    Named("午", "wǔ", "Horse", "Pferd"),
    Named("未", "wèi", "Goat", "Ziege"),
    Named("申", "shēn", "Monkey", "Affe"),
    Named("酉", "yǒu", "Rooster", "Hahn"),
    Named("戌", "xū", "Dog", "Hund"),
    Named("亥", "hài", "Pig", "Schwein"),
)

DIRECTIONS = ("N", "NNE", "ENE", "E", "ESE", "SSE", "S", "SSW", "WSW", "W", "WNW", "NNW")

# The thirty images of the Na Yin, two pillars each, in the order of the cycle (most common spelling).
NA_YIN = (
    Named("海中金", "Hǎi Zhōng Jīn", "Metal in the Sea", "Metall im Meer"),
    Named("炉中火", "Lú Zhōng Huǒ", "Fire in the Furnace", "Feuer im Ofen"),
    Named("大林木", "Dà Lín Mù", "Great Forest Wood", "Holz des großen Waldes"),
    Named("路旁土", "Lù Páng Tǔ", "Roadside Earth", "Erde am Wegrand"),
    Named("剑锋金", "Jiàn Fēng Jīn", "Sword-Edge Metal", "Metall der Schwertklinge"),
    Named("山头火", "Shān Tóu Huǒ", "Fire on the Mountaintop", "Feuer auf dem Berggipfel"),
    Named("涧下水", "Jiàn Xià Shuǐ", "Mountain Stream Water", "Wasser in der Bergschlucht"),
    Named("城头土", "Chéng Tóu Tǔ", "City Wall Earth", "Erde der Stadtmauer"),
    Named("白蜡金", "Bái Là Jīn", "White Wax Metal", "Metall in weißem Wachs"),
    Named("杨柳木", "Yáng Liǔ Mù", "Willow Wood", "Weidenholz"),
    Named("泉中水", "Quán Zhōng Shuǐ", "Water in the Spring", "Wasser in der Quelle"),
    Named("屋上土", "Wū Shàng Tǔ", "Rooftop Earth", "Erde auf dem Dach"),
    Named("霹雳火", "Pī Lì Huǒ", "Thunderbolt Fire", "Feuer des Blitzes"),
    Named("松柏木", "Sōng Bǎi Mù", "Pine and Cypress Wood", "Holz von Kiefer und Zypresse"),
    Named("长流水", "Cháng Liú Shuǐ", "Long-Flowing Water", "Lang fließendes Wasser"),
    Named("沙中金", "Shā Zhōng Jīn", "Metal in the Sand", "Metall im Sand"),
    Named("山下火", "Shān Xià Huǒ", "Fire at the Foot of the Mountain", "Feuer am Fuß des Berges"),
    Named("平地木", "Píng Dì Mù", "Wood of the Plain", "Holz der Ebene"),
    Named("壁上土", "Bì Shàng Tǔ", "Earth on the Wall", "Erde an der Wand"),
    Named("金箔金", "Jīn Bó Jīn", "Gold Leaf Metal", "Metall des Blattgolds"),
    Named("覆灯火", "Fù Dēng Huǒ", "Covered Lamp Fire", "Feuer der abgedeckten Lampe"),
    Named("天河水", "Tiān Hé Shuǐ", "Water of the Heavenly River", "Wasser des Himmelsflusses"),
    Named("大驿土", "Dà Yì Tǔ", "Earth of the Great Post Road", "Erde der großen Poststraße"),
    Named("钗钏金", "Chāi Chuàn Jīn", "Hairpin and Bracelet Metal", "Metall von Haarnadel und Armreif"),
    Named("桑柘木", "Sāng Zhè Mù", "Mulberry Wood", "Maulbeerholz"),
    Named("大溪水", "Dà Xī Shuǐ", "Great Stream Water", "Wasser des großen Baches"),
    Named("沙中土", "Shā Zhōng Tǔ", "Earth in the Sand", "Erde im Sand"),
    Named("天上火", "Tiān Shàng Huǒ", "Fire in the Sky", "Feuer am Himmel"),
    Named("石榴木", "Shí Liú Mù", "Pomegranate Wood", "Granatapfelholz"),
    Named("大海水", "Dà Hǎi Shuǐ", "Water of the Great Sea", "Wasser des großen Meeres"),
)

# Ten Gods by the relation of two elements and by whether their polarity is the same.
TEN_GODS = (
    ("比肩", "劫财"),
    ("食神", "伤官"),
    ("偏财", "正财"),
    ("七杀", "正官"),
    ("偏印", "正印"),
)
