import ldap
from ldap.filter import escape_filter_chars, filter_format
from ldap3 import SUBTREE, Connection

BASE = "ou=people,dc=club,dc=test"
BY_MAIL = "(mail={})"


def member(conn, uid):
    # ruleid: ldap-filter-injection
    return conn.search_s(BASE, ldap.SCOPE_SUBTREE, f"(uid={uid})", ["cn", "mail"])


def member_safely(conn, uid):
    # ok: ldap-filter-injection
    conn.search_s(BASE, ldap.SCOPE_SUBTREE, f"(uid={escape_filter_chars(uid)})", ["cn"])
    uid = escape_filter_chars(uid)
    # ok: ldap-filter-injection
    conn.search_s(BASE, ldap.SCOPE_SUBTREE, "(uid=%s)" % uid)
    # ok: ldap-filter-injection
    return conn.search_s(BASE, ldap.SCOPE_SUBTREE, filter_format("(uid=%s)", [uid]))


class Directory:
    def __init__(self, server):
        self.connection = Connection(server, auto_bind=True)

    def by_mail(self, mail):
        condition = "(&(objectClass=person)(mail=%s))" % mail
        # ruleid: ldap-filter-injection
        self.connection.search(BASE, condition, attributes=["cn"])
        return self.connection.entries

    def by_name(self, name):
        self.connection.search(
            search_base=BASE,
            # ruleid: ldap-filter-injection
            search_filter="(cn=" + name + "*)",
            search_scope=SUBTREE,
        )

    def by_template(self, mail):
        # ruleid: ldap-filter-injection
        return self.connection.search(BASE, BY_MAIL.format(mail))

    def pages(self, group):
        # ruleid: ldap-filter-injection
        return self.connection.extend.standard.paged_search(BASE, "(memberOf={0})".format(group), paged_size=50)

    def any_of(self, names):
        parts = [f"(cn={name})" for name in names]
        # ruleid: ldap-filter-injection
        return self.connection.search(BASE, "(|" + "".join(parts) + ")")

    def everyone(self, number):
        # ok: ldap-filter-injection
        self.connection.search(BASE, "(objectClass=person)")
        # ok: ldap-filter-injection
        self.connection.search(BASE, f"(employeeNumber={int(number)})")


async def keyword(conn, user):
    # ruleid: ldap-filter-injection
    return conn.search_ext(base=BASE, scope=ldap.SCOPE_ONELEVEL, filterstr=f"(&(active=TRUE)(uid={user}))")


def other_searches(index, text, pattern):
    # ok: ldap-filter-injection
    index.search("articles", f"title:{text}")
    # ok: ldap-filter-injection
    pattern.search(f"(name={text})")
