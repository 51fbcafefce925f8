import xml.etree.ElementTree as ET

from lxml import etree
from lxml.etree import XPath as compile_path

NS = "urn:library"
KIND = "novel"


def account(tree, name, password):
    # ruleid: xpath-injection
    tree.xpath("//user[@name='" + name + "' and @password='" + password + "']")
    # ruleid: xpath-injection
    return tree.xpath(f"//user[@name='{name}']")


def account_safely(tree, name):
    # ok: xpath-injection
    return tree.xpath("//user[@name=$name]", name=name)


class Library:
    def __init__(self, path):
        self.tree = etree.parse(path)

    def by_author(self, author):
        query = "//book[author='%s']/title/text()" % author
        # ruleid: xpath-injection
        return self.tree.xpath(query)

    def by_shelf(self, shelf):
        # ruleid: xpath-injection
        return self.tree.xpath(
            f'//shelf[@id="{shelf}"]/book',
            namespaces={"lib": NS},
        )

    def compiled(self, title):
        # ruleid: xpath-injection
        return compile_path("//book[contains(title, '{}')]".format(title))(self.tree)

    def all_titles(self, authors):
        # ruleid: xpath-injection
        return [self.tree.xpath(f"//book[author='{author}']/title/text()") for author in authors]

    def numbered(self, number):
        # ok: xpath-injection
        self.tree.xpath(f"//book[{int(number)}]")
        # ok: xpath-injection
        return self.tree.xpath(f"//book[@kind='{KIND}']")


def plain_tree(root, name):
    # ruleid: xpath-injection
    root.find(f"./user[@name='{name}']")
    # ruleid: xpath-injection
    root.findall("./group/user[name='%s']" % name)
    # ok: xpath-injection
    root.find(f"{{{NS}}}user")
    # ok: xpath-injection
    root.findtext("{%s}title" % name)
    # ok: xpath-injection
    return [user for user in root.iterfind("./user") if user.get("name") == name]


def text_search(text, word):
    # ok: xpath-injection
    return text.find(f"{word}: ")


def parsed(name):
    # ok: xpath-injection
    return ET.parse(f"{name}.xml").getroot().find("./user")
