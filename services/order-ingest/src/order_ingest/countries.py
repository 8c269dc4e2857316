"""Countries as files write them, in ISO 3166-1 alpha-2 (pure).

A code is taken as it is; a name must be one of these, whatever its case. What is ambiguous ("Channel Islands" are two
codes) is not guessed: the channel's `file.countries` says what the shop means.
"""

import unicodedata
from functools import lru_cache

_NAMES = """
AD=Andorra; AE=United Arab Emirates; AF=Afghanistan; AG=Antigua and Barbuda; AI=Anguilla; AL=Albania;
AM=Armenia; AO=Angola; AQ=Antarctica; AR=Argentina; AS=American Samoa; AT=Austria; AU=Australia; AW=Aruba;
AX=Åland Islands; AZ=Azerbaijan; BA=Bosnia and Herzegovina; BB=Barbados; BD=Bangladesh; BE=Belgium; BF=Burkina
Faso; BG=Bulgaria; BH=Bahrain; BI=Burundi; BJ=Benin; BL=St Barthelemy; BM=Bermuda; BN=Brunei; BO=Bolivia;
BQ=Caribbean NL; BR=Brazil; BS=Bahamas; BT=Bhutan; BV=Bouvet Island; BW=Botswana; BY=Belarus; BZ=Belize;
CA=Canada; CC=Cocos Islands; CD=Democratic Republic of the Congo; CF=Central African Rep.; CG=Congo;
CH=Switzerland; CI=Côte d'Ivoire; CK=Cook Islands; CL=Chile; CM=Cameroon; CN=China; CO=Colombia; CR=Costa Rica;
CU=Cuba; CV=Cape Verde; CW=Curaçao; CX=Christmas Island; CY=Cyprus; CZ=Czech Republic; DE=Germany; DJ=Djibouti;
DK=Denmark; DM=Dominica; DO=Dominican Republic; DZ=Algeria; EC=Ecuador; EE=Estonia; EG=Egypt; EH=Western Sahara;
ER=Eritrea; ES=Spain; ET=Ethiopia; FI=Finland; FJ=Fiji; FK=Falkland Islands; FM=Micronesia; FO=Faroe Islands;
FR=France; GA=Gabon; GB=United Kingdom; GD=Grenada; GE=Georgia; GF=French Guiana; GG=Guernsey; GH=Ghana;
GI=Gibraltar; GL=Greenland; GM=Gambia; GN=Guinea; GP=Guadeloupe; GQ=Equatorial Guinea; GR=Greece; GS=South
Georgia and the South Sandwich Islands; GT=Guatemala; GU=Guam; GW=Guinea-Bissau; GY=Guyana; HK=Hong Kong;
HM=Heard Island and McDonald Islands; HN=Honduras; HR=Croatia; HT=Haiti; HU=Hungary; ID=Indonesia; IE=Ireland;
IL=Israel; IM=Isle of Man; IN=India; IO=British Indian Ocean Territory; IQ=Iraq; IR=Iran; IS=Iceland; IT=Italy;
JE=Jersey; JM=Jamaica; JO=Jordan; JP=Japan; KE=Kenya; KG=Kyrgyzstan; KH=Cambodia; KI=Kiribati; KM=Comoros;
KN=Saint Kitts and Nevis; KP=North Korea; KR=South Korea; KW=Kuwait; KY=Cayman Islands; KZ=Kazakhstan; LA=Laos;
LB=Lebanon; LC=St Lucia; LI=Liechtenstein; LK=Sri Lanka; LR=Liberia; LS=Lesotho; LT=Lithuania; LU=Luxembourg;
LV=Latvia; LY=Libya; MA=Morocco; MC=Monaco; MD=Moldova; ME=Montenegro; MF=Saint Martin; MG=Madagascar;
MH=Marshall Islands; MK=North Macedonia; ML=Mali; MM=Myanmar; MN=Mongolia; MO=Macau; MP=Northern Mariana
Islands; MQ=Martinique; MR=Mauritania; MS=Montserrat; MT=Malta; MU=Mauritius; MV=Maldives; MW=Malawi; MX=Mexico;
MY=Malaysia; MZ=Mozambique; NA=Namibia; NC=New Caledonia; NE=Niger; NF=Norfolk Island; NG=Nigeria; NI=Nicaragua;
NL=Netherlands; NO=Norway; NP=Nepal; NR=Nauru; NU=Niue; NZ=New Zealand; OM=Oman; PA=Panama; PE=Peru; PF=French
Polynesia; PG=Papua New Guinea; PH=Philippines; PK=Pakistan; PL=Poland; PM=Saint Pierre and Miquelon;
PN=Pitcairn; PR=Puerto Rico; PS=Palestine; PT=Portugal; PW=Palau; PY=Paraguay; QA=Qatar; RE=Réunion; RO=Romania;
RS=Serbia; RU=Russia; RW=Rwanda; SA=Saudi Arabia; SB=Solomon Islands; SC=Seychelles; SD=Sudan; SE=Sweden;
SG=Singapore; SH=St Helena; SI=Slovenia; SJ=Svalbard and Jan Mayen; SK=Slovakia; SL=Sierra Leone; SM=San Marino;
SN=Senegal; SO=Somalia; SR=Suriname; SS=South Sudan; ST=Sao Tome and Principe; SV=El Salvador; SX=Sint Maarten;
SY=Syria; SZ=Eswatini; TC=Turks and Caicos Islands; TD=Chad; TF=French S. Terr.; TG=Togo; TH=Thailand;
TJ=Tajikistan; TK=Tokelau; TL=East Timor; TM=Turkmenistan; TN=Tunisia; TO=Tonga; TR=Turkey; TT=Trinidad and
Tobago; TV=Tuvalu; TW=Taiwan; TZ=Tanzania; UA=Ukraine; UG=Uganda; UM=US minor outlying islands; US=United
States; UY=Uruguay; UZ=Uzbekistan; VA=Vatican City; VC=St Vincent; VE=Venezuela; VG=British Virgin Islands;
VI=United States Virgin Islands; VN=Vietnam; VU=Vanuatu; WF=Wallis and Futuna; WS=Samoa; YE=Yemen; YT=Mayotte;
ZA=South Africa; ZM=Zambia; ZW=Zimbabwe
"""
_OTHER = {
    "america": "US",
    "belgique": "BE",
    "belgië": "BE",
    "bolivia (plurinational state of)": "BO",
    "britain": "GB",
    "brunei darussalam": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "czech republic": "CZ",
    "czechia": "CZ",
    "deutschland": "DE",
    "eire": "IE",
    "england": "GB",
    "españa": "ES",
    "great britain": "GB",
    "holland": "NL",
    "hong kong sar": "HK",
    "iran (islamic republic of)": "IR",
    "italia": "IT",
    "ivory coast": "CI",
    "korea": "KR",
    "lao pdr": "LA",
    "macedonia": "MK",
    "moldova (republic of)": "MD",
    "northern ireland": "GB",
    "republic of ireland": "IE",
    "republic of korea": "KR",
    "republic of south africa": "ZA",
    "rsa": "ZA",
    "russian federation": "RU",
    "schweiz": "CH",
    "scotland": "GB",
    "suisse": "CH",
    "swaziland": "SZ",
    "syrian arab republic": "SY",
    "tanzania (united republic of)": "TZ",
    "the netherlands": "NL",
    "turkey": "TR",
    "türkiye": "TR",
    "u.s.a.": "US",
    "uae": "AE",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "vatican": "VA",
    "venezuela (bolivarian republic of)": "VE",
    "viet nam": "VN",
    "wales": "GB",
    "österreich": "AT",
}


def _plain(name: str) -> str:
    """Without case, accents, doubled spaces; `&` is `and`, `St` is `Saint`."""
    text = unicodedata.normalize("NFKD", name.strip().casefold().replace("&", "and"))
    words = "".join(letter for letter in text if not unicodedata.combining(letter)).split()
    return " ".join("saint" if word in ("st", "st.") else word for word in words)


_BY_CODE = dict(entry.split("=") for entry in " ".join(_NAMES.split("\n")).strip().split("; "))
_BY_NAME = {_plain(name): code for code, name in _BY_CODE.items()} | {
    _plain(name): code for name, code in _OTHER.items()
}


@lru_cache(maxsize=1000)
def country_of(text: str) -> str | None:
    """The code of a country's code or name; none when it is not certain which one is meant."""
    code = text.strip().upper()
    return code if code in _BY_CODE else _BY_NAME.get(_plain(text))
