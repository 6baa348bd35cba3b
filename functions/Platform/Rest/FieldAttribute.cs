namespace Cloud.Platform.Rest;

[Flags]
public enum In { None = 0, Create = 1, Update = 2, Both = 3 }

/// <summary>What the API may do with one property of a resource. A property without it is never on the wire.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FieldAttribute(In accepts = In.None) : Attribute
{
    public In Accepts => accepts;
    public bool Filter { get; init; }
    public bool Sort { get; init; }
    /// <summary>Visible and accepted from this microversion on.</summary>
    public string? Since { get; init; }
    /// <summary>Visible and accepted up to this microversion.</summary>
    public string? Until { get; init; }
    /// <summary>Rule that must allow the caller to see, send, filter or sort by it.</summary>
    public string? Policy { get; init; }
    /// <summary>Name on the wire, where it is not the property's in snake_case.</summary>
    public string? Wire { get; init; }
    /// <summary>Accepted or filtered by, but not shown.</summary>
    public bool WriteOnly { get; init; }
    /// <summary>Shown in single and detailed views only.</summary>
    public bool Detail { get; init; }
    /// <summary>Must be in the body of a create.</summary>
    public bool Required { get; init; }
    /// <summary>May be null in a body.</summary>
    public bool Nullable { get; init; }
    /// <summary>Left out of the answer while null.</summary>
    public bool OmitNull { get; init; }
    /// <summary>A dictionary that takes and shows the members that no other field does (Keystone's extra attributes). At most one a record.</summary>
    public bool Rest { get; init; }
}
