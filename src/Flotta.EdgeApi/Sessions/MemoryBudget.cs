namespace Flotta.EdgeApi.Sessions;

/// <summary>So many bytes and no more, for what can be made again.</summary>
internal sealed class MemoryBudget(long most)
{
    private long taken;

    public long Taken => Interlocked.Read(ref taken);

    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref taken, bytes) <= most)
            return true;
        Interlocked.Add(ref taken, -bytes);
        return false;
    }

    public void Return(int bytes) => Interlocked.Add(ref taken, -bytes);
}
