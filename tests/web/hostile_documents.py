"""Documents made to take time before they are refused; each is within 15 kB unless its name says otherwise."""

from collections.abc import Callable


def fragments(count: int, body: Callable[[int], str], on: str = "Query") -> str:
    return " ".join(f"fragment F{number} on {on} {{{body(number)}}}" for number in range(count))


def nested(opening: str, count: int, inner: str = "") -> str:
    return opening * count + inner + "}" * count


HOSTILE: dict[str, str] = {
    "a fragment that spreads itself": "{...F0} fragment F0 on Query {hello ...F0}",
    "a cycle of 120 fragments": "{...F0} " + fragments(120, lambda n: f"...F{(n + 1) % 120}"),
    "fragments that double 70 times": "{...F0} "
    + fragments(70, lambda n: f"...F{n + 1} ...F{n + 1}")
    + "fragment F70 on Query{hello}",
    "fragments that double 50 times and end wrong": "{...F0} "
    + fragments(50, lambda n: f"...F{n + 1} ...F{n + 1}")
    + "fragment F50 on Query{no}",
    "fields that double": "{leaf{...F0}} "
    + fragments(8, lambda n: f"child{{...F{n + 1}}} children{{...F{n + 1}}}", "Leaf")
    + "fragment F8 on Leaf{id}",
    "a chain of 120 fragments": "{...F0} " + fragments(120, lambda n: f"...F{n + 1}") + "fragment F120 on Query{hello}",
    "every fragment spreads every other": "{...F0} "
    + fragments(28, lambda n: " ".join(f"...F{m}" for m in range(28) if m > n) or "hello"),
    "10,000 aliases": "{" + " ".join(f"a{n}:hello" for n in range(10_000)) + "}",
    "300 aliases": "{" + " ".join(f"a{n}:hello" for n in range(300)) + "}",
    "140 directives": "{hello" + "@include(if:true)" * 140 + "}",
    "100 directives on spreads": "{" + "...F0@skip(if:false)" * 100 + "} fragment F0 on Query {hello}",
    "one field 990 times": "{" + "hello " * 990 + "}",
    "one field 970 times, deeper": "{leaf{child{" + "name " * 970 + "}}}",
    "one field with its argument 150 times": "{" + 'hello(name:"x") ' * 150 + "}",
    "14 fields in conflict with 900": "{leaf{" + "name:id name " * 14 + "name " * 900 + "}}",
    "inline fragments, 240 of them": "{" + "...{hello}" * 240 + "}",
    "inline fragments within each other": nested("{...", 150, "{hello}"),
    "selection sets 190 deep": "{" + nested("leaf{", 190, "id") + "}",
    "lists 190 deep": "{nodes(ids:" + "[" * 190 + "]" * 190 + "){id}}",
    "900 unknown fields on 9,000 lines": "\n" * 9_000 + "{" + " ".join(f"f{n}" for n in range(900)) + "}",
    "an input of 300 unknown fields": "{thing(value:{" + " ".join(f"x{n}:1" for n in range(300)) + "})}",
    "900 numbers that are none": '{thing(value:{name:"x" numbers:[' + '"a" ' * 900 + "]})}",
    "240 variables that nobody uses": "query(" + " ".join(f"$v{n}:Int" for n in range(240)) + "){hello}",
    "100 operations over 20 fragments": " ".join(f"query Q{n}{{...F0}}" for n in range(100))
    + fragments(20, lambda n: f"...F{n + 1}")
    + "fragment F20 on Query{hello}",
    "330 spreads of what is not there": "{" + "...Nothing " * 330 + "}",
    "7,000 comments": "#\n" * 7_000 + "{hello}",
    "14,900 commas and an error": "," * 14_900 + "{hello",
    "an integer of 14,000 digits": "{items(first:" + "9" * 14_000 + "){totalCount}}",
    "a string of escapes that ends nowhere": '{hello(name:"' + "\\u0041" * 2_400,
    "a block string that ends nowhere": '{hello(name:"""' + "\n  a" * 3_700,
    "introspection that goes round": "{__schema{types{" + "fields{type{" * 8 + "name" + "}}" * 8 + "}}}",
    "pages of pages": "{items(first:100){nodes{children{children{children{children{id}}}}}}}",
    "ids by the hundred, deeply": "{nodes(ids:[" + "1 " * 700 + "]){children{child{id}} child{child{id}}}}",
    "100 kB": "{" + "hello " * 16_000 + "}",
}
