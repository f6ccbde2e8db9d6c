"""Traditional and simplified Chinese characters: which of the two a sentence is written in.

Only characters that one of the two never uses, and that are so frequent that a sentence has some. 里, 后, 台 and others
that both know say nothing.
"""

from __future__ import annotations

_PAIRS = (
    "这這们們来來时時说說国國会會对對过過发發经經关關见見问問间間长長门門风風马馬鸟鳥鱼魚龙龍东東车車书書学學觉覺话話语語请請让讓"
    "谁誰认認识識读讀写寫听聽声聲爱愛亲親热熱电電脑腦网網钱錢错錯钟鐘镜鏡开開无無为為义義乐樂买買卖賣还還边邊进進远遠运運样樣"
    "机機树樹业業现現气氣没沒给給红紅纸紙细細终終结結绿綠头頭实實单單变變处處备備梦夢岁歲带帶师師张張忆憶怀懷总總愿願护護报報"
    "换換灯燈烧燒爷爺独獨猫貓画畫盘盤离離种種笔筆简簡节節药藥蓝藍虽雖补補观觀规規视視记記讲講论論设設证證诉訴词詞试試诗詩该該"
    "课課调調谈談谢謝负負贵貴费費赶趕转轉轮輪轻輕较較达達迟遲邻鄰银銀铁鐵锁鎖闪閃闭閉闻聞阳陽阴陰阶階队隊随隨难難雾霧静靜页頁"
    "顶頂顺順领領颜顏饭飯馆館骑騎鸡雞麦麥齐齊"
)
_ONLY = {"Hans": frozenset(_PAIRS[::2]), "Hant": frozenset(_PAIRS[1::2])}
_OTHER = {"Hans": "Hant", "Hant": "Hans"}
NAMES = {"Hans": "simplified", "Hant": "traditional"}
_ENOUGH = 3


def strange_characters(sentence: str, script: str) -> str:
    """Return the characters of the other kind, where a sentence holds some of them and none of its own kind."""
    found = set(sentence)
    others = found & _ONLY[_OTHER[script]]
    if len(others) < _ENOUGH or found & _ONLY[script]:
        return ""
    return "".join(character for character in sentence if character in others)
