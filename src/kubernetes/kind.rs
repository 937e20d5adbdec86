//! The kind of a type that holds an object in a form of its own.

/// Says in an `impl Resource` that the type is of the same kind as this one.
macro_rules! kind_of {
    ($other:ty) => {
        type DynamicType = <$other as ::kube::Resource>::DynamicType;
        type Scope = <$other as ::kube::Resource>::Scope;

        fn kind(kind: &Self::DynamicType) -> ::std::borrow::Cow<'_, str> {
            <$other as ::kube::Resource>::kind(kind)
        }

        fn group(kind: &Self::DynamicType) -> ::std::borrow::Cow<'_, str> {
            <$other as ::kube::Resource>::group(kind)
        }

        fn version(kind: &Self::DynamicType) -> ::std::borrow::Cow<'_, str> {
            <$other as ::kube::Resource>::version(kind)
        }

        fn plural(kind: &Self::DynamicType) -> ::std::borrow::Cow<'_, str> {
            <$other as ::kube::Resource>::plural(kind)
        }
    };
}
pub(crate) use kind_of;
