//! Members of Azure's answers that count as missing when they are null or of another type than the contract says: one odd
//! member must not spoil a resource, nor one resource a list.

use crate::text;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

/// A text, cleaned; an empty one is none. No member of Azure's is longer than a resource id.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Any::deserialize(deserializer)?.text())
}

/// The texts of a list, cleaned.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Any::deserialize(deserializer)? {
        Any::List(all) => all.into_iter().filter_map(Any::text).collect(),
        _ => Vec::new(),
    })
}

/// A location as the code of its region. Here anything else is an error: a resource without a region is of no use.
pub fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let written = Any::deserialize(deserializer)?.text().unwrap_or_default();
    text::region(&written).ok_or_else(|| D::Error::custom("the location is not a region"))
}

/// A boolean.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Any::deserialize(deserializer)? {
        Any::Boolean(boolean) => Some(boolean),
        _ => None,
    })
}

/// A number up to `MAXIMUM`, fractions rounded up.
pub fn whole<'de, const MAXIMUM: u32, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Ok(match Any::deserialize(deserializer)? {
        // The cast is exact: the number is whole and small.
        Any::Number(number) if (0.0..=f64::from(MAXIMUM)).contains(&number) => {
            Some(number.ceil() as i64)
        }
        _ => None,
    })
}

/// An object; anything else is the default.
pub fn object<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let Object(object) = Object::deserialize(deserializer)?;
    Ok(object)
}

/// The objects of a list; elements of other types are the default.
pub fn objects<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let all: Option<Vec<Object<T>>> = Option::deserialize(deserializer)?;
    let all = all.unwrap_or_default().into_iter();
    Ok(all.map(|Object(object)| object).collect())
}

/// Any JSON value, as far as one of the functions above asks for it.
enum Any {
    Text(String),
    Number(f64),
    Boolean(bool),
    List(Vec<Any>),
    Other,
}

impl Any {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => text::cleaned(&text, text::ID),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Any;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Any, E> {
                Ok(Any::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Any, E> {
                Ok(Any::Text(text))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Any, E> {
                Ok(Any::Number(number as f64))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Any, E> {
                Ok(Any::Number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Any, E> {
                Ok(Any::Number(number))
            }

            fn visit_bool<E>(self, boolean: bool) -> Result<Any, E> {
                Ok(Any::Boolean(boolean))
            }

            fn visit_unit<E>(self) -> Result<Any, E> {
                Ok(Any::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Any, A::Error> {
                let mut all = Vec::new();
                while let Some(any) = list.next_element()? {
                    all.push(any);
                }
                Ok(Any::List(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Any::Other)
            }
        }
        deserializer.deserialize_any(Value)
    }
}

/// An object, or the default in place of anything else.
struct Object<T>(T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Value<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(T::default())
            }

            fn visit_str<E>(self, _: &str) -> Result<T, E> {
                Ok(T::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<T, E> {
                Ok(T::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<T, E> {
                Ok(T::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<T, E> {
                Ok(T::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<T, E> {
                Ok(T::default())
            }

            fn visit_unit<E>(self) -> Result<T, E> {
                Ok(T::default())
            }
        }
        deserializer.deserialize_any(Value(PhantomData)).map(Object)
    }
}
