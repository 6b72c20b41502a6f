namespace Flotta.Yggdrasil.Transport;

/// <summary>The connections of one identity. Retired when another takes over, and closed once its last request has ended.</summary>
internal sealed class Line(HttpMessageInvoker invoker, Credentials.Identity identity)
{
    // The owner counts as one.
    private int _users = 1;
    private int _retired;

    public HttpMessageInvoker Invoker { get; } = invoker;

    public Credentials.Identity Identity { get; } = identity;

    public bool TryEnter()
    {
        while (true)
        {
            var users = Volatile.Read(ref _users);
            if (users == 0)
                return false;
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users)
                return true;
        }
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            Invoker.Dispose();
    }

    public void Retire()
    {
        if (Interlocked.Exchange(ref _retired, 1) == 0)
            Leave();
    }
}
