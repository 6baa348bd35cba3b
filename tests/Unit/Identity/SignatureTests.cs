using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Cloud.Identity;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>What EC2 keys have signed, shown by a service. The expected signatures are those that keystoneclient's own signer makes.</summary>
public sealed class SignatureTests
{
    private const string Secret = "2af1e5a2d4de4b1e8e4d3a2e8a9bd0c1";
    private const string Version2 = "qTQ9XiY0cD+GFf6IxqdYerG3xOb81K89YhO+gJ/oFjc=", Version4 = "67680f16f8cf28d9052136918b25b6ad6957ccef655d005fb4aea95af6a07feb";
    private const string ToSign = "AWS4-HMAC-SHA256\n20300101T000000Z\n20300101/RegionOne/s3/aws4_request\nabc", ToSignFirst = "GET\n\n\nTue, 01 Jan 2030 00:00:00 +0000\n/bucket/key";

    private static object Second(string host = "cloud:8774", string time = "2030-01-01T00:00:00Z", string signature = Version2) => new
    {
        access = "KEY", signature, host, verb = "GET", path = "/services/Cloud",
        @params = new Dictionary<string, string> { ["SignatureVersion"] = "2", ["SignatureMethod"] = "HmacSHA256", ["Action"] = "Describe Instances", ["Timestamp"] = time, ["A~b"] = "x/y" },
    };

    private static object Fourth(string date = "20300101T000000Z") => new
    {
        access = "KEY", signature = Version4, host = "cloud", verb = "GET", path = "/x", @params = new { b = "2", a = "1 3" }, body_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        headers = new Dictionary<string, string> { ["Host"] = "cloud", ["X-Amz-Date"] = date, ["Authorization"] = "AWS4-HMAC-SHA256 Credential=KEY/20300101/RegionOne/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=zz" },
    };

    private static object S3(string text, string signature, string access = "KEY") => new { access, token = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text)), signature };

    private static async Task<TestCloud> WithKeys()
    {
        var cloud = await TestCloud.Start();
        var body = new { credential = new { type = "ec2", blob = JsonSerializer.Serialize(new { access = "KEY", secret = Secret }), project_id = await cloud.IdOf("projects", "demo") } };
        Assert.Equal(201, (await cloud.Send("POST", "/identity/v3/credentials", body, "demo")).Status);
        return cloud;
    }

    private static Task<Answer> Show(TestCloud cloud, string path, object credentials, string user = "admin") => cloud.Send("POST", "/identity/v3/" + path, new { credentials }, user);

    public static TheoryData<string, object> Right => new()
    {
        { "ec2tokens", Second() }, { "ec2tokens", Fourth() },
        { "s3tokens", S3(ToSign, "4bf4559b97ad1b1506161fcf4a95ecf87e70120f63fdf5674f1e1db6b5c88ee6") }, { "s3tokens", S3(ToSignFirst, "pzMU94C4CySwqT+VKaTfYP9mIjg=") },
    };

    [Theory, MemberData(nameof(Right))]
    public async Task A_right_signature_is_its_users_token(string path, object credentials)
    {
        await using var cloud = await WithKeys();
        var answer = await Show(cloud, path, credentials);
        Assert.Equal(200, answer.Status);
        var token = answer.Body.GetProperty("token");
        Assert.Equal(("demo", "demo", "ec2credential"), (token.GetProperty("user").GetProperty("name").GetString(), token.GetProperty("project").GetProperty("name").GetString(), token.GetProperty("methods")[0].GetString()));
        Assert.Equal(path == "ec2tokens", answer.Headers.ContainsKey("X-Subject-Token"));
        if (path == "ec2tokens") Assert.Equal(200, (await cloud.Raw("GET", "/compute/v2.1/servers", answer.Token(), null)).Status);
        // Nobody but services may turn a signature into a token.
        Assert.Equal(403, (await Show(cloud, path, credentials, "demo")).Status);
        // What the keys open is looked at now.
        var (user, project, member) = (await cloud.IdOf("users", "demo"), await cloud.IdOf("projects", "demo"), await cloud.IdOf("roles", "member"));
        await cloud.Send("DELETE", $"/identity/v3/projects/{project}/users/{user}/roles/{member}");
        Assert.Equal(401, (await Show(cloud, path, credentials)).Status);
    }

    public static TheoryData<string, string, object> Wrong => new()
    {
        { "another host", "ec2tokens", Second(host: "other") }, { "stale", "ec2tokens", Second(time: "2029-12-31T23:00:00Z") }, { "no time", "ec2tokens", Second(time: "yesterday") }, { "another text", "ec2tokens", Second(signature: Version4) },
        { "no signature", "ec2tokens", Second(signature: "") }, { "another day", "ec2tokens", Fourth("20291231T235959Z") }, { "another time", "ec2tokens", Fourth("20300101T000001Z") }, { "nothing signed", "ec2tokens", new { access = "KEY", signature = "" } },
        { "another text", "s3tokens", S3(ToSign + "d", "4bf4559b97ad1b1506161fcf4a95ecf87e70120f63fdf5674f1e1db6b5c88ee6") }, { "unknown keys", "s3tokens", S3(ToSignFirst, "pzMU94C4CySwqT+VKaTfYP9mIjg=", "other") }, { "no scope", "s3tokens", S3("AWS4\nx", "") },
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task A_wrong_one_is_nobodys(string what, string path, object credentials)
    {
        await using var cloud = await WithKeys();
        Assert.Equal((what, 401), (what, (await Show(cloud, path, credentials)).Status));
    }

    [Theory]
    [InlineData("""{"access":"KEY","token":"%%%","signature":"x"}""")]
    [InlineData("""{"access":7}""")]
    public async Task What_makes_no_sense_is_refused(string credentials)
    {
        await using var cloud = await WithKeys();
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/s3tokens", $"{{\"credentials\":{credentials}}}")).Status);
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Keys_that_a_credential_made_open_no_more_than_it_does()
    {
        await using var cloud = await TestCloud.Start();
        var demo = await cloud.IdOf("users", "demo");
        var made = await cloud.Send("POST", $"/identity/v3/users/{demo}/application_credentials", new { application_credential = new { name = "w", unrestricted = true, roles = new[] { new { name = "reader" } } } }, "demo");
        var project = await cloud.IdOf("projects", "demo");
        var token = (await cloud.Authenticate(made)).Token();
        var keys = await cloud.Raw("POST", "/identity/v3/credentials", token, JsonSerializer.Serialize(new { credential = new { type = "ec2", blob = JsonSerializer.Serialize(new { access = "KEY", secret = Secret }), project_id = project } }));
        Assert.Equal(["reader"], (await Facade.OfAccessKey(cloud.Services, "KEY"))!.Value.Caller.Roles);
        Assert.Null(await Facade.OfAccessKey(cloud.Services, "OTHER"));
        // Nor in another project that the user is in.
        var other = await cloud.Make("projects", "project", new { name = "other" });
        await cloud.Send("PUT", $"/identity/v3/projects/{other}/users/{demo}/roles/{await cloud.IdOf("roles", "member")}");
        Assert.Equal(200, (await cloud.Send("PATCH", "/identity/v3/credentials/" + keys.Id("credential"), new { credential = new { project_id = other } }, "demo")).Status);
        Assert.Null(await Facade.OfAccessKey(cloud.Services, "KEY"));
    }
}
