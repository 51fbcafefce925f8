import lxml.etree
from lxml import etree
from lxml import etree as ET
from lxml import objectify
from lxml.etree import XMLParser


def read_catalog(body):
    # ruleid: xml-parser-network
    parser = etree.XMLParser(no_network=False)
    return etree.fromstring(body, parser=parser)


def read_validated(path):
    return ET.parse(
        path,
        ET.XMLParser(
            dtd_validation=True,
            # ruleid: xml-parser-network
            no_network=False,
        ),
    )


def read_large(path):
    # ruleid: xml-parser-network
    return [e.tag for _, e in lxml.etree.iterparse(path, load_dtd=True, no_network=False)]


class Importer:
    # ruleid: xml-parser-network
    parser = XMLParser(no_network=False)

    def __init__(self):
        offline = False
        # ruleid: xml-parser-network
        self.own = etree.XMLPullParser(no_network=offline)

    def objects(self, text):
        # ruleid: xml-parser-network
        return objectify.fromstring(text, objectify.makeparser(no_network=False))


def read_offline(body):
    # ok: xml-parser-network
    return etree.fromstring(body, etree.XMLParser(no_network=True))


def read_default(body):
    # ok: xml-parser-network
    return etree.fromstring(body, etree.XMLParser(remove_comments=True))


def read_by_option(body, offline):
    # ok: xml-parser-network
    return etree.fromstring(body, etree.XMLParser(no_network=offline))


def start(simulator):
    # ok: xml-parser-network
    simulator.start(no_network=False)
