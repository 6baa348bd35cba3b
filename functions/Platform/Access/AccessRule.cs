namespace Cloud.Platform.Access;

/// <summary>One kind of request that an application credential may be used for, e.g. compute, GET, /v2.1/servers/{id}/ips.</summary>
/// <param name="Path">Segments; <c>*</c> and <c>{name}</c> stand for any one of them, <c>**</c> at the end for any number.</param>
public sealed record AccessRule(string Service, string Method, string Path)
{
    /// <param name="types">The service's types in the catalog, separated by commas.</param>
    public bool Allows(string types, string method, string path)
    {
        if (!types.Split(',').Contains(Service) || !(Method == method || Method == "GET" && method == "HEAD")) return false;
        var (wanted, given) = (Path.Split('/', StringSplitOptions.RemoveEmptyEntries), path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] == "**") return given.Length > i;
            if (i >= given.Length || !(wanted[i] == "*" || wanted[i] is ['{', .., '}'] || wanted[i] == given[i])) return false;
        }
        return wanted.Length == given.Length;
    }
}
