import json

from bson import Code
from bson.code import Code as Script
from flask import request
from pymongo import MongoClient

db = MongoClient().games
HAS_BADGE = "this.badges.length > 0"


def named(name):
    # ruleid: nosql-where-injection
    return db.players.find_one({"$where": f"this.name == '{name}'"})


def named_safely(name):
    # ok: nosql-where-injection
    return db.players.find_one({"name": {"$eq": name}})


class Ranking:
    def __init__(self, collection):
        self.collection = collection

    def above(self, score):
        condition = "this.score > " + score
        # ruleid: nosql-where-injection
        return self.collection.count_documents({"active": True, "$where": condition})

    def team(self, team):
        # ruleid: nosql-where-injection
        return self.collection.find().where("this.team == '%s'" % team).limit(5)

    def by_request(self):
        query = {"active": True}
        # ruleid: nosql-where-injection
        query["$where"] = request.json["condition"]
        return self.collection.find(query)

    def computed(self, body):
        return self.collection.aggregate(
            [
                {
                    "$addFields": {
                        # ruleid: nosql-where-injection
                        "rank": {"$function": {"body": "function(s) { return s * %s }" % body, "args": ["$score"], "lang": "js"}}
                    }
                }
            ]
        )

    def scripted(self, factor):
        # ruleid: nosql-where-injection
        return Code("function () { emit(this.team, this.score * %s); }" % factor)

    def scoped(self, factor):
        # ok: nosql-where-injection
        return Script("function () { emit(this.team, this.score * factor); }", {"factor": factor})

    def fixed(self):
        # ok: nosql-where-injection
        return self.collection.find({"$where": HAS_BADGE})

    def numeric(self, score, name):
        # ok: nosql-where-injection
        self.collection.find({"$where": f"this.score > {int(score)}"})
        # ok: nosql-where-injection
        return self.collection.find({"$where": f"this.name == {json.dumps(name)}"})


def every(queries):
    # ruleid: nosql-where-injection
    return [db.players.find({"$where": text}) for text in queries]


def namesake(table, name):
    # ok: nosql-where-injection
    return table.select().where(table.name == name)
