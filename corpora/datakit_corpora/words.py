"""Small word lists written for this project; the raw material of the templates."""

from __future__ import annotations


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


MONTHS = _split("January|February|March|April|May|June|July|August|September|October|November|December")
WEEKDAYS = _split("Mon|Tue|Wed|Thu|Fri|Sat|Sun")
WEEKDAYS_ZH = "一二三四五六日"
DATE_LABELS = _split("Date:|EXP|MFG|BEST BEFORE|Use by|Valid until|Issued|Due date:")
DATE_LABELS_ZH = _split("日期:|生产日期:|有效期至|开票日期:|保质期至|入库日期:|打印时间:")
SUM_LABELS = _split(
    "Total|TOTAL|Subtotal|Cash|Change|Balance due|VAT 20%|Discount|Amount:|Net total|Tax|Tip|Rounding|Deposit"
)
SUM_LABELS_ZH = _split("合计:|金额:|总计|应收:|实收:|找零:|优惠:|小计|税额|余额:|单价:")
CODE_LABELS = _split("Ref:|S/N:|No.|Order #|Invoice|LOT|Batch|SKU|Ticket|Model|P/N")
CODE_LABELS_ZH = _split("编号:|单号:|批号:|序列号:|发票号码:|型号:|流水号|订单号:|工号:")
QUANTITIES = _split("Net wt|Volume|Power|Voltage|Weight|Length|Range|Speed|Flow|Max|Load")
QUANTITIES_ZH = _split("净含量:|容量:|功率:|电压:|重量|温度|长度:|流量|压力:|转速|湿度")
UNITS = _split(
    "kg|g|mg|t|km|m|cm|mm|ml|L|kW|W|kWh|V|mA|A|Hz|kHz|MHz|bar|kPa|Pa|N|dB|lx|rpm|km/h|m/s|%|°C|Ω|kΩ|"
    "μF|μm|m²|m³|℃"
)
UNITS_ZH = _split("千克|克|吨|米|厘米|毫米|毫升|升|瓦|伏|度|转/分|元/吨|公里|件|箱")
STREETS = _split(
    "High Street|Station Road|Mill Lane|Park Avenue|Church Street|Victoria Road|Queens Drive|"
    "King Street|Oak Avenue|Bridge Street|Harbour Way|Market Square|Elm Close|Canal Walk|North Terrace|"
    "Hill View"
)
TOWNS = _split(
    "Ashford|Brookvale|Carlton|Dunmore|Eastwick|Fairhaven|Glenwood|Hartley|Kingsport|Lakeside|"
    "Millbrook|Newbury|Oakham|Portside|Riverton|Westfield"
)
REGIONS = _split("CA|NY|TX|WA|OR|IL|MA|FL|OH|GA|NSW|VIC|QLD")
CITIES_ZH = _split(
    "北京市|上海市|广州市|深圳市|杭州市|南京市|成都市|武汉市|西安市|重庆市|天津市|苏州市|长沙市|青岛市|"
    "郑州市|厦门市"
)
DISTRICTS_ZH = _split(
    "朝阳区|海淀区|浦东新区|天河区|南山区|西湖区|鼓楼区|武侯区|江岸区|雁塔区|渝中区|和平区|姑苏区|"
    "岳麓区|市南区|思明区"
)
ROADS_ZH = _split(
    "中山路|人民路|建设大道|解放路|长江路|学院路|科技园路|和平街|新华路|滨河东路|工业北路|文化路|"
    "青年大街|胜利路"
)
ITEMS = _split(
    "Milk 1L|White bread|Eggs x12|Green tea|Coffee beans|Rice 5kg|Olive oil|Butter|Apples|Bananas|"
    "Tomatoes|Chicken breast|Cheddar|Yogurt|Orange juice|Mineral water|Paper towels|Soap bar|"
    "AA batteries|Notebook A5|Ball pen|Chocolate|Biscuits|Noodles|Fish fillet|Garlic|Onions|Sugar 1kg|"
    "Salt|Pepper"
)
ITEMS_ZH = _split(
    "纯牛奶|全麦面包|鲜鸡蛋|绿茶|东北大米|花生油|酱油|苹果|香蕉|西红柿|鸡胸肉|酸奶|橙汁|矿泉水|抽纸|"
    "洗衣液|电池|笔记本|中性笔|巧克力|饼干|方便面|白砂糖|食盐|牛肉面|宫保鸡丁|米饭|可乐"
)
PROVINCES_ZH = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
SURNAMES = _split(
    "Smith|Jones|Taylor|Brown|Wilson|Evans|Thomas|Roberts|Walker|Wright|Hughes|Green|Hall|Wood|Clarke|Moore"
)
GIVEN = _split("Anna|Ben|Clara|David|Emma|Frank|Grace|Henry|Iris|James|Kate|Liam|Maria|Noah|Olivia|Paul")
SURNAMES_ZH = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN_ZH = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚文华建国玉梅志红"
FORMULAS = _split(
    "H2O|CO2|H2SO4|NaCl|NH3|CaCO3|NaOH|HNO3|C2H5OH|CH4|O2|SO2|NO2|KMnO4|Fe2O3|Al2O3|H2O2|C6H12O6|"
    "CuSO4|NaHCO3|MgO|CH3COOH|N2|TiO2|SiO2|KCl|ZnO|P2O5"
)
TO_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
PRODUCTS = _split("H2O|CO2|NaCl|salt|O2")
SUBSTANCES = _split("Ethanol|Acetone|Glycerol|Sodium|Calcium|Nitrogen|Ammonia|Citric acid|Urea|Zinc")
SUBSTANCES_ZH = _split(
    "硫酸|盐酸|硝酸|氢氧化钠|氯化钠|碳酸钙|乙醇|甲醛|氨气|二氧化碳|臭氧|葡萄糖|柠檬酸|氧化锌|过氧化氢|维生素C"
)
UNKNOWNS = "xyztnab"
SITES = _split(
    "example|testmail|shopnow|datalab|greenfarm|bookhub|citybus|mycafe|techpark|openmap|fastpost|"
    "sunhotel|petcare|newsday|artbox"
)
ENDINGS = _split("com|org|net|cn|io|co.uk|de|com.cn|edu|info|fr")
PATHS = _split("en|shop|help|news|login|item|faq|2024|sale|app|doc.pdf|index.html")
MAILBOXES = _split("info|sales|support|office|hello|contact|admin|service|orders|hr|no-reply|team_1")
INVOICE_HEADS = _split("Invoice No|Order No|Customer ID|Tax ID|P.O.|Acct|Delivery Note|Quote")
INVOICE_TERMS = _split(
    "Payment due in 30 days|Net 14|Unit price (EUR)|Bill to:|Ship to:|Qty / Unit / Amount|Thank you!|"
    "Terms & Conditions|Balance b/f|Description|Paid by card ****1234|Signature: ________|No refund [A]"
)
INVOICE_HEADS_ZH = _split("发票代码|发票号码|校验码|机器编号|纳税人识别号|开户行账号|订单编号|合同号")
GOODS_ZH = _split("*食品|*日用品|*办公用品|*电子产品|*餐饮服务|*运输服务|*建筑材料|*医疗器械")
ROLES_ZH = _split("收款人|复核|开票人|购买方|销售方|经手人|审核人")
