namespace Cloud.Platform.Bus.Brokers;

/// <summary>
/// AMQPNetLite ends its tasks on the thread that reads the connection, some with locks of the session held, and what awaits them goes on right there: nothing
/// more would be read until that comes to its next await, and for ever if it waits for something that has yet to be read, or for who waits for those locks.
/// </summary>
internal static class Reader
{
    /// <summary>Whoever awaits it goes on elsewhere.</summary>
    public static Task Away(this Task task) => task.ContinueWith(t => t, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();

    public static Task<T> Away<T>(this Task<T> task) => task.ContinueWith(t => t, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
}
