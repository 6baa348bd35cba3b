namespace Cloud.Platform.Blobs;

/// <summary>One more store of images or of copies of objects, as an operator sets it.</summary>
public sealed record StoreSetting
{
    /// <summary>file, objects or azure.</summary>
    public required string Kind { get; init; }
    public string Description { get; init; } = "";
    /// <summary>Where images go when nobody says.</summary>
    public bool Default { get; init; }
    /// <summary>Of a file store: its directory.</summary>
    public string Path { get; init; } = "";
    /// <summary>Of an azure store: the account's connection string.</summary>
    public string Connection { get; init; } = "";
    /// <summary>Of the others: the container in the account.</summary>
    public string Container { get; init; } = "images";

    /// <summary>Without the connection, in which the account's key is.</summary>
    public override string ToString() => Kind;

    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public AzureBlobs Azure(string id)
    {
        try { return new(Connection, Container); }
        catch (FormatException) { throw new ArgumentException($"the connection of the store {id} is not a connection string"); }
    }
}
