using System.Collections.Concurrent;

namespace Flotta.EndToEnd;

/// <summary>
/// Starts processes that shall end with the tests (setpriv --pdeathsig). The kernel minds the thread that started a process, not the program,
/// and threads of the pool end when they have had nothing to do for a while.
/// </summary>
internal static class LastingThread
{
    private static readonly BlockingCollection<Action> Work = [];

    static LastingThread() => new Thread(() =>
    {
        foreach (var work in Work.GetConsumingEnumerable())
            work();
    }) { IsBackground = true, Name = "parent of processes" }.Start();

    public static Task<T> RunAsync<T>(Func<T> start)
    {
        var started = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                started.SetResult(start());
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        });
        return started.Task;
    }
}
