namespace Flotta.ApiServer.Discovery;

/// <summary>The documents of the present definitions, made when first asked for. Weak: they are big and rarely read.</summary>
internal sealed class OpenApiCache
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, WeakReference<byte[]>> documents = new(StringComparer.Ordinal);
    private ServedResources? of;

    public byte[] Get(ServedResources served, string name, Func<byte[]> make)
    {
        lock (gate)
        {
            if (!ReferenceEquals(of, served))
            {
                documents.Clear();
                of = served;
            }

            if (documents.TryGetValue(name, out var kept) && kept.TryGetTarget(out var found))
                return found;
            var made = make();
            documents[name] = new WeakReference<byte[]>(made);
            return made;
        }
    }
}
