import xml.sax
import xml.sax.handler as sax_handler
from xml.sax.handler import feature_external_ges

import lxml.etree
from lxml import etree
from lxml import etree as ET
from lxml.etree import XMLParser


def read_invoice(body):
    # ruleid: xml-external-entities
    parser = etree.XMLParser(resolve_entities=True)
    return etree.fromstring(body, parser=parser)


def read_feed(path):
    # ruleid: xml-external-entities
    return ET.parse(path, ET.XMLParser(load_dtd=True, no_network=True))


def read_large(path):
    for _, element in lxml.etree.iterparse(
        path,
        events=("end",),
        # ruleid: xml-external-entities
        resolve_entities=True,
    ):
        yield element.tag


def read_events(source, handler):
    reader = xml.sax.make_parser()
    # ruleid: xml-external-entities
    reader.setFeature(feature_external_ges, True)
    # ruleid: xml-external-entities
    reader.setFeature(sax_handler.feature_external_pes, 1)
    reader.setContentHandler(handler)
    reader.parse(source)


class Importer:
    # ruleid: xml-external-entities
    parser = XMLParser(huge_tree=False, resolve_entities=True)

    def __init__(self):
        entities = True
        # ruleid: xml-external-entities
        self.own = XMLParser(resolve_entities=entities)

    def reader(self):
        reader = xml.sax.make_parser()
        # ruleid: xml-external-entities
        reader.setFeature("http://xml.org/sax/features/external-general-entities", True)
        return reader


def read_safely(body):
    # ok: xml-external-entities
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    return etree.fromstring(body, parser)


def read_internal(body):
    # ok: xml-external-entities
    return etree.fromstring(body, etree.XMLParser(resolve_entities="internal"))


def read_events_safely(source):
    reader = xml.sax.make_parser()
    # ok: xml-external-entities
    reader.setFeature(feature_external_ges, False)
    # ok: xml-external-entities
    reader.setFeature(sax_handler.feature_namespaces, True)
    reader.parse(source)


def read_html(body):
    # ok: xml-external-entities
    return etree.fromstring(body, etree.HTMLParser(no_network=True, recover=True))


def resolve(directory, name):
    # ok: xml-external-entities
    return directory.lookup(name, resolve_entities=True)
