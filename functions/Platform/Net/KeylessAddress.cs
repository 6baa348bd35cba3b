using Azure.Core;

namespace Cloud.Platform.Net;

/// <summary>An Azure service named by its address alone, <c>https://ACCOUNT.table.core.windows.net</c>, where a connection string with a key may stand as well: whoever calls shows who he is.</summary>
public static class KeylessAddress
{
    /// <summary>Null when it is not one.</summary>
    public static Uri? Of(string connection) => Uri.TryCreate(connection, UriKind.Absolute, out var at) && at.Scheme == Uri.UriSchemeHttps && at.UserInfo.Length == 0 ? at : null;

    /// <summary>Who calls it.</summary>
    /// <exception cref="ArgumentException">Nobody.</exception>
    public static TokenCredential Caller(Func<TokenCredential>? identity) => identity is not null ? identity() : throw new ArgumentException("an address without a key can be used only by an app with an identity");
}
