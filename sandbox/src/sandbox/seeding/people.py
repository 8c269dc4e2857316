"""Buyers: names and addresses of several countries and scripts; the house number is unique, so no two look alike."""

import random

from sandbox.seeding.drafts import Buyer

_PLACES = (
    ("US", "IL", "Springfield", "62701", "High Street", ("Zoë", "Marcus", "Ana"), ("Müller", "O’Neil", "Lee")),
    ("US", "CA", "Oakland", "94607", "Harbor Way", ("Jamal", "Grace"), ("Washington", "Nguyễn")),
    ("US", "NY", "Buffalo", "14201", "Elm St", ("Priya", "Tom"), ("Patel", "van der Berg")),
    ("CA", "QC", "Montréal", "H2X 1Y4", "Rue Saint-Urbain", ("Élodie", "Luc"), ("Côté", "Lévesque")),
    ("GB", None, "Leeds", "LS1 4DY", "Park Row", ("Siobhán", "Alfie"), ("Ní Bhriain", "Whitaker")),
    ("DE", None, "Köln", "50667", "Straße des 18. Oktober", ("Jürgen", "Käthe"), ("Weiß", "Größmann")),
    ("FR", None, "Besançon", "25000", "Allée des Érables", ("Maël", "Chloé"), ("L’Hôte", "Bœuf")),
    ("PL", None, "Łódź", "90-001", "ul. Żeromskiego", ("Małgorzata", "Grzegorz"), ("Brzęczyszczykiewicz", "Źdźbło")),
    ("JP", "JP-13", "渋谷区", "150-0002", "渋谷二丁目", ("陽菜", "蓮"), ("佐藤", "鈴木")),
    ("GR", None, "Θεσσαλονίκη", "546 24", "Οδός Εγνατία", ("Ελένη", "Γιώργος"), ("Παπαδόπουλος", "Νικολάου")),
    ("BR", "SP", "São Paulo", "01310-100", "Av. Paulista", ("João", "Conceição"), ("Gonçalves", "Araújo")),
)
COUNTRIES = tuple(dict.fromkeys(place[0] for place in _PLACES))
HOME = tuple(place for place in _PLACES if place[0] == "US")


def address(dice: random.Random, house: int, at_home: bool) -> Buyer:
    """`at_home`: in the country that every source serves."""
    country, region, city, postal, street, first, last = dice.choice(HOME if at_home else _PLACES)
    return Buyer(
        first_name=dice.choice(first),
        last_name=dice.choice(last),
        line1=f"{house} {street}",
        city=city,
        country=country,
        postal=postal,
        company="Kaffeehaus „Zur Ecke“ & Co." if dice.random() < 0.1 else None,
        line2="Apt. 4½" if dice.random() < 0.2 else None,
        region=region,
        phone="+1 217 555 0100" if dice.random() < 0.5 else None,
    )
