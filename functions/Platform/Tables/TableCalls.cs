using System.Runtime.CompilerServices;
using Azure;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Cloud.Platform.Net;
using Cloud.Platform.State;

namespace Cloud.Platform.Tables;

/// <summary>
/// Calls of one table. The SDK's own repeats are off: a write that timed out may have been done, and its repeat would be answered with a
/// conflict that is none. Reads are repeated here whatever went wrong, writes only when the service says that it was too busy to begin.
/// </summary>
public sealed class TableCalls
{
    private const int Tries = 6;
    private readonly TableClient _table;
    private readonly TimeProvider _clock;
    private bool _there;

    /// <param name="connection">A connection string, or an address (<see cref="KeylessAddress"/>).</param>
    /// <param name="identity">Shown to an address. Made when it is needed.</param>
    public TableCalls(string connection, string name, TimeProvider clock, Func<TokenCredential>? identity = null)
    {
        var options = new TableClientOptions();
        (options.Retry.MaxRetries, options.Retry.NetworkTimeout) = (0, TimeSpan.FromSeconds(20));
        _table = KeylessAddress.Of(connection) is { } at ? new(at, name, KeylessAddress.Caller(identity), options) : new(connection, name, options);
        _clock = clock;
    }

    /// <exception cref="StoreUnavailableException">Not answered.</exception>
    public async Task<T> Read<T>(Func<TableClient, Task<T>> call, CancellationToken ct)
    {
        for (var n = 1; ; n++)
        {
            try { return await call(await There(ct)); }
            catch (Exception e) when (Passing(e, ct))
            {
                if (n == Tries) throw Unavailable(e);
                await Pause(n, ct);
            }
        }
    }

    /// <summary>Writes a group; what was refused, and where, is the answer.</summary>
    /// <exception cref="StoreUnavailableException">Perhaps written, perhaps not.</exception>
    public async Task<TableTransactionFailedException?> Write(IReadOnlyList<TableTransactionAction> actions, CancellationToken ct)
    {
        var table = await There(ct);
        for (var n = 1; ; n++)
        {
            try
            {
                await table.SubmitTransactionAsync(actions, ct);
                return null;
            }
            catch (TableTransactionFailedException e) when (e.Status is 404 or 409 or 412) { return e; }
            catch (RequestFailedException e) when (e.Status is 429 or 503 && n < Tries) { await Pause(n, ct); }
            catch (Exception e) when (Passing(e, ct)) { throw Unavailable(e); }
        }
    }

    /// <summary>Entities in order of their keys, page by page.</summary>
    public async IAsyncEnumerable<TableEntity> Query(string filter, int page, [EnumeratorCancellation] CancellationToken ct)
    {
        for (string? next = null; ;)
        {
            var from = next;
            var got = await Read(async t =>
            {
                await foreach (var p in t.QueryAsync<TableEntity>(filter, page, cancellationToken: ct).AsPages(from, page)) return p;
                return null;
            }, ct);
            foreach (var entity in got?.Values ?? []) yield return entity;
            if (got?.ContinuationToken is not { Length: > 0 } token) yield break;
            next = token;
        }
    }

    private async ValueTask<TableClient> There(CancellationToken ct)
    {
        if (_there) return _table;
        try { await _table.CreateIfNotExistsAsync(ct); }
        catch (Exception e) when (Passing(e, ct)) { throw Unavailable(e); }
        _there = true;
        return _table;
    }

    private Task Pause(int n, CancellationToken ct) => Task.Delay(TimeSpan.FromSeconds(0.05 * (1 << n)), _clock, ct);

    private static bool Passing(Exception e, CancellationToken ct) => e switch
    {
        RequestFailedException r => r.Status is 0 or 408 or 429 or >= 500,
        OperationCanceledException => !ct.IsCancellationRequested,
        AggregateException or IOException or AuthenticationFailedException => true,
        _ => false,
    };

    // The service's own text may hold the account's name and address: that is for the log, as the inner exception.
    private static StoreUnavailableException Unavailable(Exception e) => new("the table can't be used now", e);
}
