using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>OS-OAUTH1 and OS-OAUTH2: rights lent to programs.</summary>
public sealed class OAuthTests : IAsyncLifetime
{
    private TestCloud _cloud = null!;
    private OAuthConsumer _consumer = null!;
    private string _ann = "", _project = "";

    public async ValueTask InitializeAsync()
    {
        _cloud = await TestCloud.Start();
        await _cloud.AddUser("ann");
        (_ann, _project) = (await _cloud.IdOf("users", "ann"), await _cloud.IdOf("projects", "ann"));
        _consumer = await OAuthConsumer.Make(_cloud, _project);
    }

    public ValueTask DisposeAsync() => _cloud.DisposeAsync();

    private Task<(string Id, string Secret)> Access() => _consumer.Access("ann", "reader");

    private Task<Answer> Agree(string wish, string user = "ann", string role = "reader") => _consumer.Agree(wish, user, role);

    [Fact]
    public async Task A_consumer_acts_with_what_its_user_agreed_to()
    {
        var access = await Access();
        var login = await _consumer.Login(access);
        Assert.Equal(["reader"], login.Roles());
        var token = login.Body.GetProperty("token");
        Assert.Equal((_ann, _project, access.Id, _consumer.Id), (token.GetProperty("user").GetProperty("id").GetString(), token.GetProperty("project").GetProperty("id").GetString(), token.GetProperty("OS-OAUTH1").GetProperty("access_token_id").GetString(), token.GetProperty("OS-OAUTH1").GetProperty("consumer_id").GetString()));
        Assert.Equal(200, (await _cloud.Raw("GET", "/compute/v2.1/servers", login.Token(), null)).Status);
        var mine = $"/identity/v3/users/{_ann}/OS-OAUTH1/access_tokens";
        Assert.Equal(access.Id, (await _cloud.Send("GET", mine, user: "ann")).Body.GetProperty("access_tokens")[0].GetProperty("id").GetString());
        Assert.DoesNotContain(access.Secret, (await _cloud.Send("GET", $"{mine}/{access.Id}", user: "ann")).Text, StringComparison.Ordinal);
        var role = await _cloud.IdOf("roles", "reader");
        Assert.Equal("reader", (await _cloud.Send("GET", $"{mine}/{access.Id}/roles/{role}", user: "ann")).Body.GetProperty("role").GetProperty("name").GetString());
        Assert.Equal(role, (await _cloud.Send("GET", $"{mine}/{access.Id}/roles", user: "ann")).Body.GetProperty("roles")[0].GetProperty("id").GetString());
        Assert.Equal(403, (await _cloud.Send("GET", mine, user: "demo")).Status);
        Assert.Equal(204, (await _cloud.Send("DELETE", $"{mine}/{access.Id}", user: "ann")).Status);
        Assert.Equal(401, (await _cloud.Raw("GET", "/compute/v2.1/servers", login.Token(), null)).Status);
        Assert.Equal(401, (await _consumer.Login(access)).Status);
    }

    [Fact]
    public async Task What_is_lent_to_a_program_ends_with_a_role_the_consumer_or_its_day()
    {
        var (one, two) = (await Access(), await Access());
        var token = (await _consumer.Login(one)).Token();
        Assert.Equal(403, (await _cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = token } })).Status);
        Assert.Equal(403, (await _cloud.Raw("POST", $"/identity/v3/users/{_ann}/application_credentials", token, """{"application_credential":{"name":"x"}}""")).Status);
        _cloud.Clock.Advance(TimeSpan.FromHours(23.5));
        _cloud.Forget();
        Assert.Equal(201, (await _consumer.Login(one)).Status);
        _cloud.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(401, (await _consumer.Login(one)).Status);
        _cloud.Forget();
        var third = await Access();
        await _cloud.Send("DELETE", $"/identity/v3/projects/{_project}/users/{_ann}/roles/{await _cloud.IdOf("roles", "member")}");
        Assert.Equal(401, (await _consumer.Login(third)).Status);
        await _cloud.Send("PUT", $"/identity/v3/projects/{_project}/users/{_ann}/roles/{await _cloud.IdOf("roles", "member")}");
        Assert.Equal(201, (await _consumer.Login(third)).Status);
        await _cloud.Send("DELETE", OAuthConsumer.Root + "consumers/" + _consumer.Id);
        Assert.Equal(401, (await _consumer.Login(third)).Status);
        Assert.Equal(401, (await _consumer.Login(two)).Status);
    }

    [Fact]
    public async Task Nobody_agrees_to_more_than_he_has_or_with_what_is_lent()
    {
        var wish = await _consumer.Wish();
        Assert.Equal(401, (await Agree(wish.Id, role: "admin")).Status);
        Assert.Equal(401, (await Agree(wish.Id, user: "demo")).Status);
        Assert.Equal(404, (await Agree("missing")).Status);
        var lent = await _cloud.Send("POST", $"/identity/v3/users/{_ann}/application_credentials", new { application_credential = new { name = "w", unrestricted = true, roles = new[] { new { name = "reader" } } } }, "ann");
        Assert.Equal(403, (await _cloud.Raw("PUT", OAuthConsumer.Root + "authorize/" + wish.Id, (await _cloud.Authenticate(lent)).Token(), """{"roles":[{"name":"member"}]}""")).Status);
        Assert.Equal(200, (await Agree(wish.Id)).Status);
        Assert.Equal(409, (await Agree(wish.Id, role: "member")).Status);
    }

    [Theory]
    [InlineData("wrong verifier")]
    [InlineData("not agreed to")]
    [InlineData("another consumer")]
    [InlineData("wrong token secret")]
    [InlineData("twice")]
    [InlineData("old")]
    [InlineData("too late")]
    public async Task An_access_token_is_had_once_by_the_right_consumer_in_time(string what)
    {
        var wish = await _consumer.Wish();
        var verifier = what == "not agreed to" ? "" : (await Agree(wish.Id)).Body.GetProperty("token").GetProperty("oauth_verifier").GetString()!;
        if (what == "too late") _cloud.Clock.Advance(TimeSpan.FromHours(9));
        var by = what == "another consumer" ? await OAuthConsumer.Make(_cloud, _project) : _consumer;
        if (what == "twice") Assert.Equal(201, (await by.Exchange(wish, verifier)).Status);
        Assert.Equal(401, (await by.Exchange(what == "wrong token secret" ? (wish.Id, "guess") : wish, what == "wrong verifier" ? "guess" : verifier, what == "old" ? 601 : 0)).Status);
    }

    [Fact]
    public async Task A_signed_request_is_good_once_and_for_itself_only()
    {
        var access = await Access();
        var header = _consumer.Sign(OAuthConsumer.Tokens, access);
        Assert.Equal(201, (await _consumer.Post(OAuthConsumer.Tokens, header)).Status);
        Assert.Equal(401, (await _consumer.Post(OAuthConsumer.Tokens, header)).Status);
        Assert.Equal(401, (await _consumer.Post(OAuthConsumer.Tokens + "?nocatalog=1", _consumer.Sign(OAuthConsumer.Tokens, access))).Status);
        Assert.Equal(401, (await _consumer.Post(OAuthConsumer.Tokens, _consumer.Sign(OAuthConsumer.Root + "access_token", access))).Status);
        Assert.Equal(400, (await _consumer.Post(OAuthConsumer.Tokens, "OAuth x")).Status);
        Assert.Equal(400, (await _consumer.Post(OAuthConsumer.Root + "request_token", "Bearer x")).Status);
    }

    [Fact]
    public async Task Client_credentials_are_application_credentials()
    {
        var made = (await _cloud.Send("POST", $"/identity/v3/users/{_ann}/application_credentials", new { application_credential = new { name = "ci", roles = new[] { new { name = "reader" } } } }, "ann")).Body.GetProperty("application_credential");
        var (id, secret) = (made.GetProperty("id").GetString(), made.GetProperty("secret").GetString());
        Task<Answer> Ask(string form, string? basic = null) => _cloud.Raw("POST", "/identity/v3/OS-OAUTH2/token", null, form, ("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", basic is null ? "" : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(basic))));
        var answer = await Ask("grant_type=client_credentials", $"{id}:{secret}");
        Assert.Equal((200, "Bearer", 3600), (answer.Status, answer.Body.GetProperty("token_type").GetString(), answer.Body.GetProperty("expires_in").GetInt32()));
        var token = answer.Body.GetProperty("access_token").GetString()!;
        Assert.Equal(200, (await _cloud.Raw("GET", "/compute/v2.1/servers", null, null, ("Authorization", "Bearer " + token))).Status);
        Assert.Equal(200, (await Ask($"grant_type=client_credentials&client_id={id}&client_secret={secret}")).Status);
        async Task Refused(int status, string error, string form, string? basic = null) => Assert.Equal((status, error), await Ask(form, basic) is var no ? (no.Status, no.Body.GetProperty("error").GetString()) : default);
        await Refused(401, "invalid_client", "grant_type=client_credentials", $"{id}:wrong");
        await Refused(401, "invalid_client", "grant_type=client_credentials", "rubbish");
        await Refused(400, "unsupported_grant_type", "grant_type=password", $"{id}:{secret}");
        await Refused(400, "invalid_request", "", $"{id}:{secret}");
        Assert.Equal(413, (await Ask(new string('x', 5000))).Status);
    }
}
