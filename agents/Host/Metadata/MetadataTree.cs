using System.Text;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Metadata;

/// <summary>What the metadata service answers, as a pure function of path and specification.</summary>
public sealed class MetadataTree(ISpecs specs)
{
    private static readonly string[] OpenStackVersions =
        ["2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27", "2020-10-14", "latest"];

    private static readonly string[] Ec2Versions =
        ["1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04", "latest"];

    private const string Listing = "meta_data.json\nnetwork_data.json\npassword\nuser_data\nvendor_data.json\nvendor_data2.json";

    /// <param name="path">As requested, without query.</param>
    /// <returns>Null: there is nothing of that name.</returns>
    public MetadataAnswer? Get(string path, DomainSpec spec)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            [] => Plain(string.Join('\n', Ec2Versions)),
            ["openstack"] => Plain(string.Join('\n', OpenStackVersions)),
            ["openstack", var version, .. var rest] when OpenStackVersions.Contains(version) => OpenStack(rest, spec),
            [var version, .. var rest] when Ec2Versions.Contains(version) => Amazon(rest, spec),
            _ => null,
        };
    }

    /// <summary>The same on a disc.</summary>
    public IEnumerable<(string Path, byte[] Bytes)> Files(DomainSpec spec)
    {
        foreach (var name in new[] { "meta_data.json", "network_data.json", "user_data", "vendor_data.json", "vendor_data2.json" })
            if (OpenStack([name], spec) is { } answer)
                yield return ($"openstack/latest/{name}", answer.Bytes);
        yield return ("ec2/latest/meta-data.json", Ec2.Json(spec, Ports(spec)));
        if (UserData(spec) is { } data)
            yield return ("ec2/latest/user-data", data.Bytes);
    }

    private MetadataAnswer? OpenStack(string[] path, DomainSpec spec) => path switch
    {
        [] => Plain(Listing),
        ["meta_data.json"] => new("application/json", OpenStackDocuments.MetaData(spec)),
        ["network_data.json"] => new("application/json", OpenStackDocuments.NetworkData(spec, Ports(spec))),
        ["vendor_data.json"] or ["vendor_data2.json"] => new("application/json", "{}"u8.ToArray()),
        ["user_data"] => UserData(spec),
        _ => null,
    };

    private MetadataAnswer? Amazon(string[] path, DomainSpec spec) => path switch
    {
        [] => Plain(spec.Metadata.UserData is null ? "meta-data/" : "meta-data/\nuser-data"),
        ["user-data"] => UserData(spec),
        ["meta-data", .. var rest] => Ec2.Get(rest, spec, Ports(spec)) is { } text ? Plain(text) : null,
        _ => null,
    };

    private static MetadataAnswer? UserData(DomainSpec spec)
    {
        if (string.IsNullOrEmpty(spec.Metadata.UserData))
            return null;
        var bytes = new byte[spec.Metadata.UserData.Length];
        return Convert.TryFromBase64String(spec.Metadata.UserData, bytes, out var length) ? new("application/octet-stream", bytes[..length]) : null;
    }

    private List<EnsurePort> Ports(DomainSpec spec) => [.. spec.Nics.Select(n => specs.Get<EnsurePort>($"port/{n.PortId}")).OfType<EnsurePort>()];

    private static MetadataAnswer Plain(string text) => new("text/plain", Encoding.UTF8.GetBytes(text));
}

public sealed record MetadataAnswer(string Type, byte[] Bytes);
