#!/usr/bin/env python3
"""A neutral was removed, and the relay's operator renews what pays for the case."""
from lib import testing
from lib.mediation import ANA, TOMAS, Part
from lib.relay import with_identity

CO_MEDIATOR = Part("sue", "Sue Park", "co-mediator")
NORA = Part("nora", "Nora Lindqvist", "party", "Northline")
BEN = ("--name", "Ben Okafor", "--role", "party", "--side", "Northline")


class RenewedConnectionTest(testing.ProgramTest):
    def test_a_neutral_gives_the_case_the_renewed_string(self):
        case = self.mediation().open()
        case.add(TOMAS, CO_MEDIATOR, ANA)
        mira, sue, ana = case["mira"], case["sue"], case["ana"]
        sue.run("sync")
        early = case.invite(NORA)
        mira.run("case", "remove", case.case, TOMAS.name, "--yes")
        renewed = case.relay.run("sponsor", "renew", "sponsor", "--data",
                                 case.relay.data).strip().splitlines()[-1]
        # The earlier one, which Tomas knows, makes nothing new.
        document = self.write("note.txt", b"for the neutrals")
        mira.refused("case", "invite", case.case, *BEN)
        mira.refused("share", case.case, "neutrals", document)
        # Nor do invitations and vouchers that were drawn with it.
        self.assertIn("ask for a new invitation", case.profile(NORA).refused("join", early))
        relay = ("case", "relay", case.case)
        self.assertIn("another relay", mira.refused(*relay, with_identity(renewed, b"\7" * 32)))
        self.assertIn("only the mediator", ana.refused(*relay, renewed))
        mira.refused(*relay, "parley-relay1:nonsense")
        given = mira.run(*relay, "-", text=renewed + "\n")
        self.assertIn("uses the new connection string", given.out)
        mira.share("neutrals", document)
        mira.run("case", "invite", case.case, *BEN)
        # The co-mediator learns it by syncing, and can open a side's channel with it.
        sue.run("sync")
        sue.share("neutrals", self.write("another.txt", b"from Sue"))
        shah = Part("shah", "Shah Merchant", "counsel", "Southport")
        case.add(shah, by="sue")
        case["shah"].run("sync")
        self.assertIn("caucus:Southport", case["shah"].channels())
        # A party's new vouchers come from the neutrals, when they are asked for.
        brief = self.write("brief.txt", b"from Ana")
        for _ in range(3):
            if ana.attempt("share", case.case, "caucus:Harbor", brief).status == 0:
                break
            mira.run("sync")
            ana.run("sync")
        self.assertEqual(len(ana.objects("documents", case.case, "caucus:Harbor")), 1)
        told = [one["text"] for person in (mira, sue)
                for one in person.objects("warnings", case.case)]
        self.assertEqual([text for text in told if "connection string" in text], [])


if __name__ == "__main__":
    testing.main()
