using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Platform.Rest;

/// <summary>A resource about to be written, with all that has to be written with it.</summary>
public sealed class Draft<T>(T item, Loaded<T>? old, JsonElement body) where T : Resource
{
    public T Item { get; set; } = item;
    public T? Old => old?.Item;
    /// <summary>The body's object, for what no field holds.</summary>
    public JsonElement Body => body;
    /// <summary>More rows of the same partition.</summary>
    public List<Op> Ops { get; } = [];
    public List<Bus.Message> Messages { get; } = [];
    /// <summary>Takes another resource's change into the same transaction.</summary>
    public void Add(Along along)
    {
        Ops.AddRange(along.Ops);
        Messages.AddRange(along.Messages);
    }
    /// <summary>Run when the write didn't happen: frees what <see cref="Kind{T}.Check"/> claimed elsewhere.</summary>
    public List<Func<ValueTask>> Undo { get; } = [];
    /// <summary>Run after the write: frees what the old state had claimed.</summary>
    public List<Func<ValueTask>> After { get; } = [];
}

/// <summary>The ordinary operations of one collection, made from the record's <see cref="FieldAttribute"/>s. Irregular ones are plain routes beside it.</summary>
/// <param name="Path">Where the collection is below the service's root, e.g. /v3/{project_id}/volumes.</param>
public sealed partial record Kind<T>(Rows<T> Rows, string Many, string Path, Dialect Dialect) where T : Resource, new()
{
    private static readonly Field<T>[] Fields = Field<T>.All();
    private static readonly Field<T>? Rest = Array.Find(Fields, f => f.Rule.Rest);

    public string One { get; init; } = Rows.Name;
    /// <summary>Name of the argument that holds the id in paths.</summary>
    public string Id { get; init; } = "id";
    /// <summary>Rule that lets a caller see one; what it denies is answered as if it did not exist.</summary>
    public required string Sees { get; init; }
    /// <summary>Which ones there are is no secret: one that isn't there is 404 to everybody, where <see cref="Dialect.RefusesUnseen"/> would refuse it (Keystone's roles, endpoints and trusts).</summary>
    public bool KnownToAll { get; init; }
    /// <summary>Rule that lets a caller list all projects' (all_tenants); null where there is no such thing.</summary>
    public string? ListsAll { get; init; }
    /// <summary>Those whom <see cref="ListsAll"/> allows get all projects' without asking (Neutron, Keystone).</summary>
    public bool AllByDefault { get; init; }

    /// <summary>Whether one is in the collection that the path names (a user's credentials, a pool's members); what isn't is not there.</summary>
    public Func<Call, T, bool>? Within { get; init; }
    /// <summary>Refines what <see cref="Rows{T}.Shared"/> lets other projects see.</summary>
    public Func<Call, T, bool>? SharedWith { get; init; }

    // ---- the four hooks
    /// <summary>Completes and checks a create (Old is null) or update before it is written.</summary>
    public Func<Call, Draft<T>, ValueTask> Check { get; init; } = (_, _) => ValueTask.CompletedTask;
    /// <summary>Writes what no field holds into the open object: links, computed values.</summary>
    public Action<Utf8JsonWriter, Call, T, bool>? Extend { get; init; }
    /// <summary>Refuses or prepares a delete: may add operations; runs before the write.</summary>
    public Func<Call, Draft<T>, ValueTask> CheckDelete { get; init; } = (_, _) => ValueTask.CompletedTask;
    /// <summary>What a new one counts for.</summary>
    public (Quota Book, Func<T, Charge[]> Of, Func<string, long, long, long, Fault> Over)? Charges { get; init; }

    /// <summary>What rules are asked about; the project that owns it when nothing else is said.</summary>
    public Func<T, Target> TargetOf { get; init; } = OfProject;
    private static readonly Func<T, Target> OfProject = item => new(item.ProjectId);

    public Route Show(string policy) => new("GET", $"{Path}/{{{Id}}}", policy, async c => One1(c, 200, (await Load(c, policy)).Item)) { Shape = Shape() };

    public Route Create(string policy, ISaga? saga = null, int status = 201) => new("POST", Path, policy, async c =>
    {
        var body = Dialect.Bare ? c.Json : c.Body(One);
        return One1(c, status, await Create(c, policy, body, saga));
    })
    { Shape = Shape(In.Create) };

    public Route Update(string policy, ISaga? saga = null) => new(Dialect.UpdateMethod, $"{Path}/{{{Id}}}", policy, async c =>
        One1(c, 200, await Change(c, policy, draft => draft.Item = Read(c, draft.Item, draft.Body, In.Update), saga, Dialect.Bare ? c.Json : c.Body(One))))
    { Shape = Shape(In.Update) };

    /// <summary>Without a saga the row goes at once; with one it is marked and the saga removes it.</summary>
    public Route Delete(string policy, ISaga? saga = null, int status = 204) => new("DELETE", $"{Path}/{{{Id}}}", policy, async c =>
    {
        await Delete(c, policy, saga);
        return Reply.Empty(status);
    });

    private Shape Shape(In accepts = In.None, string? many = null) => new(One, Dialect, [.. Fields.Select(f => new ShapeField(f.Wire, f.Property, f.Rule))]) { Accepts = accepts, Many = many };

    /// <summary>Makes one from a body's object: reads, checks, charges and writes it, and starts <paramref name="saga"/> with it.</summary>
    /// <param name="more">Completes the draft after <see cref="Check"/>, for what only this route knows.</param>
    public async ValueTask<T> Create(Call c, string policy, JsonElement body, ISaga? saga, Func<Draft<T>, ValueTask>? more = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var project = Rows.Global ? "" : OwnerIn(c, body);
            c.Require(policy, project.Length == 0 ? c.Own : new(project));
            var blank = new T { Id = Dialect.PlainIds ? c.Services.Ids.Plain() : c.Services.Ids.New(), ProjectId = project, CreatedAt = c.Now };
            var draft = new Draft<T>(Read(c, blank, body, In.Create), null, body);
            // The same said twice and differently would be checked for one project and written to another.
            if (draft.Item.ProjectId != project) throw Fault.BadRequest("Invalid input: 'project_id' and 'tenant_id' do not match.");
            try
            {
                await Check(c, draft);
                if (more is not null) await more(draft);
                if (Charges is { } q) draft.Ops.AddRange(await q.Book.Reserve(c.Store, Rows.PartitionOf(draft.Item.ProjectId), q.Of(draft.Item), q.Over));
                return await Write(c, draft, null, saga);
            }
            // Where the store doesn't say, it may have been written: then the sweeper knows better.
            catch (Exception e) when (e is not StoreUnavailableException)
            {
                foreach (var undo in Enumerable.Reverse(draft.Undo)) await undo();
                if (e is not ConflictException) throw;
                if (attempt >= 20) throw Fault.Conflict($"The {One} could not be written: too many changes at once. Try again.");
            }
        }
    }

    /// <summary>Loads, applies, checks and writes; repeats when somebody else wrote meanwhile.</summary>
    public async ValueTask<T> Change(Call c, string policy, Action<Draft<T>> apply, ISaga? saga = null, JsonElement body = default, Func<Draft<T>, ValueTask>? more = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var was = await Load(c, policy);
            Unchanged(c, was.Item);
            var draft = new Draft<T>(was.Item, was, body);
            try
            {
                apply(draft);
                await Check(c, draft);
                if (more is not null) await more(draft);
                return await Write(c, draft, was, saga);
            }
            // Where the store doesn't say, it may have been written: then the sweeper knows better.
            catch (Exception e) when (e is not StoreUnavailableException)
            {
                foreach (var undo in Enumerable.Reverse(draft.Undo)) await undo();
                if (e is not ConflictException) throw;
                if (attempt >= 20) throw Fault.Conflict($"The {One} was changed meanwhile. Try again.");
            }
        }
    }

    public async ValueTask Delete(Call c, string policy, ISaga? saga, string? id = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var was = await Load(c, policy, id);
            Unchanged(c, was.Item);
            if (was.Item.Doomed) return; // a delete that runs already is the same delete
            var draft = new Draft<T>(was.Item, was, default);
            await CheckDelete(c, draft);
            try
            {
                if (saga is not null) await Write(c, draft, was, saga);
                else
                {
                    await Rows.Remove(c.Services, was, State.Change.By(c), draft.Ops, draft.Messages, c.Cancelled);
                    foreach (var after in draft.After) await after();
                }
                return;
            }
            catch (ConflictException) when (attempt < 20) { }
        }
    }

    private async ValueTask<T> Write(Call c, Draft<T> draft, Loaded<T>? was, ISaga? saga)
    {
        if (saga is not null)
        {
            var start = saga.Start(c.Services, Rows.PartitionOf(draft.Item.ProjectId), Rows.Key(draft.Item.Id), draft.Item, State.Change.By(c));
            draft.Item = draft.Item with { Saga = start.Active, Doomed = draft.Item.Doomed || saga.Deletes };
            draft.Ops.AddRange(start.Ops);
            draft.Messages.AddRange(start.Messages);
        }
        var saved = await Rows.Save(c.Services, draft.Item, was, State.Change.By(c), draft.Ops, draft.Messages, c.Cancelled);
        foreach (var after in draft.After) await after();
        return saved;
    }

    /// <summary>The one that the path names. What the caller may not see is answered as what isn't there.</summary>
    /// <exception cref="Fault">404, or 403 when it may be seen but not this be done.</exception>
    public async ValueTask<Loaded<T>> Load(Call c, string policy, string? id = null)
    {
        id ??= c.Args[Id];
        var found = await Find(c, id);
        if (found is null || Within?.Invoke(c, found.Item) == false || !Visible(c, found.Item))
            throw Dialect.RefusesUnseen && !(found is null && KnownToAll) && !(c.Allows(Sees, c.Named) && c.Allows(policy, c.Named)) ? Fault.Forbidden(policy) : Fault.NotFound(One, id);
        c.Require(policy, IsShared(c, found.Item) && policy == Sees ? new(c.User?.ProjectId) : TargetOf(found.Item));
        return found;
    }

    /// <summary>The same routes; those that name one say that it isn't there before they say that a rule denies.</summary>
    public IEnumerable<Route> SeenFirst(IEnumerable<Route> routes) => routes.Select(r => r.Path.Contains($"{{{Id}}}", StringComparison.Ordinal) ? r with { Seen = Seen } : r);

    private async ValueTask Seen(Call c)
    {
        var found = await Find(c, c.Args[Id]);
        if (found is null || !(KnownToAll || Visible(c, found.Item))) throw Fault.NotFound(One, c.Args[Id]);
    }

    // Where a project's are all or none to be seen, those of one that the caller sees none of are not even read, unless shared: how large one is would tell that it is there.
    private ValueTask<Loaded<T>?> Find(Call c, string id) =>
        Rows.Find(c.Store, id, c.User?.ProjectId, KnownToAll || TargetOf != OfProject ? null : project => c.Allows(Sees, new(project)), c.Cancelled);

    private bool Visible(Call c, T item) => c.Allows(Sees, TargetOf(item)) || IsShared(c, item);

    private bool IsShared(Call c, T item) => Rows.Shared(item) && (SharedWith is null || SharedWith(c, item));

    private static string OwnerIn(Call c, JsonElement body)
    {
        foreach (var name in (ReadOnlySpan<string>)["project_id", "tenant_id", "owner"])
            if (Accepts(name) && body.TryGetProperty(name, out var p) && p.ValueKind == JsonValueKind.String && p.GetString() is { Length: > 0 } owner) return owner;
        return c.ProjectId;
    }

    private static bool Accepts(string wire) => Array.Exists(Fields, f => f.Wire == wire && f.Rule.Accepts.HasFlag(In.Create));

    private static void Unchanged(Call c, T item)
    {
        if (c.Header("If-Match") is { } tag && tag.Trim('"') is var want && want != "*" && want.Replace("revision_number=", "", StringComparison.Ordinal) != item.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture))
            throw new Fault(412, "The resource has changed since the revision that was given.") { Kind = "RevisionNumberConstraintFailed" };
    }
}
