use super::*;
use expect_test::expect;
use proptest::prelude::*;

const DOMAIN: &str = r#"<domain type="kvm" xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>srv01</name>  <!-- the web server -->
  <memory   unit = "KiB" >
    1048576 </memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <disk type='file'><target dev="vda" bus="virtio"/><unknown:thing xmlns:unknown="urn:x"/></disk>
  </devices>
  <qemu:commandline><qemu:arg value='-foo > bar'/></qemu:commandline>
  <future-thing a='1'>&amp;<![CDATA[<raw>]]></future-thing>
</domain>
"#;

fn edit(change: impl FnOnce(&mut Document) -> Result<(), EditError>) -> String {
    let mut document = Document::new(DOMAIN).expect("well-formed");
    change(&mut document).expect("possible");
    // Only the differing lines, to show what an edit touches.
    let (old, new): (Vec<_>, Vec<_>) = (
        DOMAIN.lines().collect(),
        document.as_str().lines().collect(),
    );
    let gone = old
        .iter()
        .filter(|l| !new.contains(l))
        .map(|l| format!("- {l}"));
    let come = new
        .iter()
        .filter(|l| !old.contains(l))
        .map(|l| format!("+ {l}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_text_changes_within_its_blanks() {
    expect![[r#"
        -     1048576 </memory>
        +     2097152 </memory>"#]]
    .assert_eq(&edit(|d| d.set(&Place::at("memory"), "2097152")));
}

#[test]
fn an_attribute_keeps_its_quotes_and_a_new_one_comes_last() {
    expect![[r#"
        -   <memory   unit = "KiB" >
        +   <memory   unit = "b&quot;&lt;" >"#]]
    .assert_eq(&edit(|d| d.set(&Place::at("memory").attr("unit"), "b\"<")));
    expect![[r#"
        -   <vcpu>1</vcpu>
        +   <vcpu current='1'>1</vcpu>"#]]
    .assert_eq(&edit(|d| d.set(&Place::at("vcpu").attr("current"), "1")));
}

#[test]
fn missing_elements_are_made_where_libvirt_writes_them() {
    expect![[r#"
        +   <currentMemory>7</currentMemory>"#]]
    .assert_eq(&edit(|d| d.set(&Place::at("currentMemory"), "7")));
    expect![[r#"
        +   <cpu>
        +     <feature name='vmx' policy='require'/>
        +   </cpu>"#]]
    .assert_eq(&edit(|d| {
        d.set(
            &Place::at("cpu")
                .keyed("feature", "name", "vmx")
                .attr("policy"),
            "require",
        )
    }));
    expect![[r#"
        -   <os><type arch='x86_64'>hvm</type></os>
        +   <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>"#]]
    .assert_eq(&edit(|d| {
        d.set(&Place::at("os").nth("boot", 0).attr("dev"), "hd")
    }));
    let mut document = Document::new(DOMAIN).expect("well-formed");
    let second = Place::at("os").nth("boot", 1).attr("dev");
    assert_eq!(
        document.set(&second, "hd"),
        Err(EditError::NoSuchPlace("os/boot[2]@dev".to_owned()))
    );
}

#[test]
fn an_inserted_device_follows_its_like_with_its_indentation() {
    let nic = Element::new("interface")
        .attr("type", "network")
        .child(Element::new("source").attr("network", "n"));
    expect![[r#"
        +     <interface type='network'>
        +       <source network='n'/>
        +     </interface>"#]]
    .assert_eq(&edit(|d| d.insert(&Place::at("devices"), &nic)));
}

#[test]
fn removing_takes_the_line_and_the_shells() {
    expect![[r#"
        -   <vcpu>1</vcpu>"#]]
    .assert_eq(&edit(|d| d.remove(&Place::at("vcpu"))));
    expect![[r#"
        -   <os><type arch='x86_64'>hvm</type></os>"#]]
    .assert_eq(&edit(|d| d.remove(&Place::at("os/type"))));
    assert_eq!(edit(|d| d.remove(&Place::at("absent").attr("x"))), "");
}

#[test]
fn removing_the_only_attribute_of_an_empty_element_removes_the_element() {
    let mut document = Document::new("<domain><cpu><topology sockets='1'/><x/></cpu></domain>")
        .expect("well-formed");
    document
        .remove(&Place::at("cpu/topology").attr("sockets"))
        .expect("possible");
    assert_eq!(document.as_str(), "<domain><cpu><x/></cpu></domain>");
}

#[test]
fn a_compact_document_stays_compact() {
    let mut document =
        Document::new("<pool type='dir'><name>a</name></pool>").expect("well-formed");
    let target = Element::new("target").child(Element::text("path", "/x"));
    document.insert(&Place::at(""), &target).expect("possible");
    assert_eq!(
        document.as_str(),
        "<pool type='dir'><name>a</name><target><path>/x</path></target></pool>"
    );
}

#[test]
fn what_is_already_so_is_not_written_again() {
    assert_eq!(edit(|d| d.set(&Place::at("memory"), "1048576")), "");
}

#[test]
fn broken_text_is_refused() {
    assert!(matches!(Document::new("<a>"), Err(EditError::Malformed(_))));
    // Found by fuzzing: what is put below such an element is not found again.
    assert!(matches!(
        Document::new("<domain xmlns='x'/>"),
        Err(EditError::Namespace(_))
    ));
    assert!(matches!(
        Document::new("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"),
        Err(EditError::Malformed(_))
    ));
}

/// A tree of elements this program knows nothing of, in all kinds of layout.
fn any_xml() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(String::new()),
        "[a-z ]{0,8}",
        Just("&lt;&#38;".to_owned()),
        Just("<!-- a > comment -->".to_owned()),
        Just("<![CDATA[<x>]]>".to_owned()),
        Just("<?pi data?>".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        (
            "[a-d]",
            prop_oneof![
                Just(""),
                Just(" k='a>b'"),
                Just("  k = \"it's\""),
                Just(" xmlns:q='urn:q' q:k='1'")
            ],
            proptest::collection::vec(
                (
                    inner,
                    prop_oneof![Just(""), Just("\n  "), Just("\r\n\t"), Just(" ")],
                ),
                0..5,
            ),
        )
            .prop_map(|(name, attributes, children)| {
                if children.is_empty() {
                    return format!("<{name}{attributes} />");
                }
                let inner: String = children
                    .iter()
                    .map(|(xml, gap)| format!("{gap}{xml}"))
                    .collect();
                format!("<{name}{attributes}>{inner}</{name}>")
            })
    })
    .prop_map(|inner| {
        format!("<domain><name>x</name>{inner}<vcpu current='1'>2</vcpu>{inner}</domain>")
    })
}

#[test]
fn text_is_found_behind_comments_and_elements() {
    for (xml, value) in [
        (
            "<domain><memory><!-- much -->1024</memory></domain>",
            "1024",
        ),
        (
            "<domain><memory>\n  <x/>\n  1024\n</memory></domain>",
            "1024",
        ),
        ("<domain><memory>\n  <x/>\n</memory></domain>", ""),
    ] {
        let mut document = Document::new(xml).expect("well-formed");
        let place = Place::at("memory");
        assert_eq!(document.get(&place).as_deref(), Some(value), "{xml}");
        document.set(&place, "2048").expect("possible");
        assert_eq!(document.get(&place).as_deref(), Some("2048"), "{xml}");
        let kept = ["<!-- much -->", "<x/>"]
            .iter()
            .any(|part| document.as_str().contains(part));
        assert!(kept, "{}", document.as_str());
    }
}

proptest! {
    #[test]
    fn setting_leaves_every_other_byte(xml in any_xml(), value in "\\PC{0,12}") {
        let mut document = Document::new(xml.as_str()).expect("generated well-formed");
        let place = Place::at("vcpu").attr("current");
        document.set(&place, &value).expect("possible");
        prop_assert_eq!(document.as_str(), xml.replacen("current='1'", &format!("current='{}'", escape(&value)), 1));
        document.set(&place, "1").expect("possible");
        prop_assert_eq!(document.as_str(), &xml);
    }

    #[test]
    fn inserting_and_removing_gives_the_old_bytes(xml in any_xml()) {
        let mut document = Document::new(xml.as_str()).expect("generated well-formed");
        document.set(&Place::at("memory").attr("unit"), "KiB").expect("possible");
        let unit = document.get(&Place::at("memory").attr("unit"));
        prop_assert_eq!(unit.as_deref(), Some("KiB"));
        document.remove(&Place::at("memory")).expect("possible");
        prop_assert_eq!(document.as_str(), &xml);
    }

    #[test]
    fn any_edit_of_any_element_stays_well_formed(xml in any_xml(), pick in 0..64usize, value in "[<&a]{0,3}") {
        let mut document = Document::new(xml.as_str()).expect("generated well-formed");
        for name in ["a", "b", "c", "d"] {
            let place = Place::at("").nth(name, pick % 3);
            let _ = document.set(&place.clone().attr("k"), &value);
            let _ = document.set(&place.clone().child("deep"), &value);
            document.remove(&place.clone().attr("k")).expect("possible");
            document.remove(&place).expect("possible");
        }
        prop_assert!(document.as_str().contains("<vcpu current='1'>2</vcpu>"));
    }
}
