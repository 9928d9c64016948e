//! The bounds of each layer and of the search, where one character more or less decides.

use super::Scrubber;
use super::decode::{base64, hex, numbers};
use super::residue::Residue;
use super::unescape::LAYERS;

#[test]
fn runs_are_decoded_from_eight_bytes_on_and_only_to_text() {
    for (text, plain) in [
        ("bWFkZS11cCY", "made-up&"),
        ("bWFkZS11cA", "bWFkZS11cA"),   // seven bytes
        ("bWFkZS11cCZzx", "made-up&s"), // a letter that is no whole byte
        ("AQIDBAUGBwg", "AQIDBAUGBwg"), // control characters
        ("//79/Pv6+fg", "//79/Pv6+fg"), // not UTF-8
        ("(YS9iP2M+ZC9lZj8/)", "(a/b?c>d/ef??)"),
    ] {
        assert_eq!(*base64(text), plain, "{text}");
    }
    for (text, plain) in [
        ("6d6164652d757026", "made-up&"),
        ("6d6164652d7570", "6d6164652d7570"),
        ("6d6164652d757026f", "6d6164652d757026f"),
        ("6d09610a640d6500", "m\ta\nd\re\0"),
        ("0102030405060708", "0102030405060708"),
        ("fffefdfcfbfaf9f8", "fffefdfcfbfaf9f8"),
        ("-6d6164652d757026-6d6164652d757026-", "-made-up&-made-up&-"),
    ] {
        assert_eq!(*hex(text), plain, "{text}");
    }
}

#[test]
fn numbers_are_bytes_if_four_of_them_in_a_row_are_text() {
    for (text, plain) in [
        ("[-61, -87, 99, 97, 102]", "[\u{e9}caf]"),
        ("109,   97,   100,   101", "made"),
        ("109,    97,    100,    101", "109,    97,    100,    101"),
        ("109,97,100,101,1,109,97,100,101", "made,1,made"),
        ("109,97,100,101,255,109,97,100,101", "made,255,made"),
        ("1,109,97,100,101", "1,made"),
        ("109 97 100 101x", "109 97 100 101x"),
        ("a109 97 100 101", "a109 97 100 101"),
        ("0x0006d 97 100 101", "0x0006d 97 100 101"),
        ("-129 109 97 100 101", "-129 made"),
    ] {
        assert_eq!(*numbers(text), plain, "{text}");
    }
}

#[test]
fn each_escape_ends_where_its_meaning_does() {
    let [invisible, wraps, json, html, html_of_ascii, percent, quoted, .., misread, lost] = LAYERS;
    for (layer, text, plain) in [
        (invisible, "a\u{1}\u{7f}b \tc\u{2060}", "ab \tc"),
        (invisible, "\u{1b}[mx\u{1b}[1", "x[1"),
        (wraps, "\u{2028}a\tb\u{a0}", "ab"),
        (json, r"\ud83d\ude00\u0041\udc00x", "\u{1f600}Ax"),
        (json, r"\n\r\t\b\f\`\&\<\>\'", "\n\r   `&<>'"),
        (json, r"\u+041\x+1\U+0000041", r"\u+041\x+1\U+0000041"),
        (json, r"\u{41\u{}\x{0000041}", r"\u{41\u{}\x{0000041}"),
        (json, r"\x41\X42c\377\400", "ABc\u{fffd}\\400"),
        (html, "&;&#;&#x;&ampx&notaname;&lowbar;", "&;&#;&#x;&x _"),
        (html, "&#65&#x42&#67;D&#x44;", "ABCDD"),
        (html, "&Agrave&yumlx&#1234567890123;", "\u{c0}\u{ff}x&#1234567890123;"),
        (html_of_ascii, "&#1267&#1279&#x1052&#1000&#9x", "~7\u{c}79\u{10}52d0&#9x"),
        (percent, "%u0041B%4%%41", "AB%4%A"),
        (quoted, "a= \r\nb=\t \nc=\rd= e=41f=4", "abcd= eAf=4"),
        (misread, "\u{c3}\u{a9}\u{e2}\u{82}\u{ac}\u{2dc}x", "\u{e9}\u{20ac}\u{fffd}x"),
        (lost, "a==b=", "a=b="),
    ] {
        assert_eq!(*layer(text), plain, "{text:?}");
    }
}

#[test]
fn a_secret_is_searched_for_by_its_letters_from_four_on_and_exactly_with_fewer() {
    for (secret, text, is_shown) in [
        ("ab9z", "a-b-9-z", false),
        ("ab9z", "a-b-9-x", true),
        ("a-b-9", "ab9", true),
        ("%-+&%", "%-+\n&=%", false),
        ("%-+&%", "%-+x&%", true),
        ("====", "fine", true),
        ("abcdefg1", "abcdefg-x1", true),
        ("abcdefg1", "ABC-DEFG-1", false),
        ("abcdefg1-hijkl", "bcdefg1-h", false),
        ("abcdefg1-hijkl", "cdefg1-h", true),
        ("ab3dc=defghi", "ab3dc 3d defghi", false), // an equals sign that is left escaped
        ("3d3d-ab3d", "about", true),               // without its own, too little is left
        ("ab9z", "is eGFiOXo", false),              // the base64 of xab9z, too short to be decoded
        ("ab9z", "is egfioxo", true),
        ("H1EG", "is IMUVH", false), // of xyH1EG
        ("W0zf", "is a cwem", true), // of xW0zf, which may be a word
        ("ab9zq", "is ywi5en", false),
        ("abcdefgh", "f6162 6364 6566 6768", false), // an odd number of digits is not decoded
        ("abcdefgh1", "egfiy2rlzmdomq", false),      // the base64 of xabcdefgh1 in lower case
        ("abcdefgh1", "jzgvmz2gx", false),           // the end of its own
        ("abcdefgh", "6162 6364 6566 6768", false),
        ("abcdefgh", "6162 6364 6566 67", true),
    ] {
        let shown = Scrubber::new([secret]).scrub(text);
        assert_eq!(shown == text, is_shown, "{secret} in {text}: {shown}");
    }
}

#[test]
fn an_id_is_searched_for_as_a_whole_in_each_form() {
    let known = Scrubber::default().with_ids(["client-07"]);
    for (text, is_shown) in [
        ("CLIENT_07", false),
        ("client-0", true),
        ("63 6c 69 65 6e 74 2d 30 37", false),
        ("Y2xpZW5\nLTA3", true),
        ("Y2xpZW50\nLTA3", false),
        ("eGNsaWVu\ndC0wNw", false), // behind another letter
        ("eHljbGll\nbnQtMDc", false),
    ] {
        let shown = known.scrub(text);
        assert_eq!(shown == text, is_shown, "{text}: {shown}");
    }
}

#[test]
fn an_empty_pair_is_not_searched_for() {
    assert_eq!(Scrubber::default().with_pair("", "").scrub("a : b"), "a : b");
}

#[test]
fn a_long_text_without_a_secret_is_shown() {
    let known = Scrubber::new(["k3J9/x2Vq/7Lw=="]);
    let text = "ordinary words%2C ".repeat(200);
    assert_eq!(known.scrub(&text), text);
}

#[test]
fn a_text_whose_readings_exceed_the_budget_is_withheld_but_it_is_always_read_itself() {
    let mut residue = Residue::default();
    residue.add_secret("k3J9/x2Vq/7Lw==");
    assert!(!residue.is_within("zzzz", 3), "it has no other reading");
    assert!(!residue.is_within("a b", 5), "it has one of three bytes and one of two");
    assert!(residue.is_within("a b", 4));
}
