//! A configuration file as a value, changed by dotted key.

use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Settings(Value);

impl Settings {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    /// `set("two_factor.code.lifetime", "2s")`; a number in the path is a place in a list (its end adds to it).
    #[track_caller]
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        *self.place(key) = value.into();
        self
    }

    /// Takes a key away; nothing happens when it is not there.
    #[track_caller]
    pub(crate) fn remove(&mut self, key: &str) -> &mut Self {
        match key.rsplit_once('.') {
            Some((parent, last)) => self.place(parent).as_object_mut().map(|map| map.remove(last)),
            None => self.0.as_object_mut().map(|map| map.remove(key)),
        };
        self
    }

    /// What stands at a key; `null` when nothing does.
    pub(crate) fn get(&self, key: &str) -> Value {
        self.clone().place(key).clone()
    }

    #[track_caller]
    fn place(&mut self, key: &str) -> &mut Value {
        key.split('.').fold(&mut self.0, |value, part| match (part.parse::<usize>(), value) {
            (Ok(position), Value::Array(list)) => {
                if position == list.len() {
                    list.push(Value::Null);
                }
                &mut list[position]
            }
            (_, value) => {
                if value.is_null() {
                    *value = Value::Object(serde_json::Map::new());
                }
                let map = value.as_object_mut().unwrap_or_else(|| panic!("{key} goes through something flat"));
                map.entry(part).or_insert(Value::Null)
            }
        })
    }

    pub(crate) fn yaml(&self) -> String {
        serde_yaml::to_string(&self.0).unwrap()
    }
}

#[test]
fn a_key_is_set_where_its_path_says() {
    let mut settings = Settings::new(serde_json::json!({ "listen": [{ "address": "a" }] }));
    settings.set("two_factor.code.lifetime", "2s").set("listen.0.address", "b").set("listen.1.address", "c");
    settings.set("gone.now", 1).remove("gone.now");
    assert_eq!(
        settings.yaml(),
        "listen:\n- address: b\n- address: c\ntwo_factor:\n  code:\n    lifetime: 2s\ngone: {}\n"
    );
}
