using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Flotta.EdgeApi.Certificates;

/// <summary>
/// The requests that were read a short while ago. A device sends the same one with each question whether it is let in, and once more to register, and its proof of possession
/// is the most that such a question costs. There is room for so many; when it is full all are read anew.
/// </summary>
internal sealed class SigningRequests(int capacity = 8192)
{
    private readonly ConcurrentDictionary<string, SigningRequest> good = new(StringComparer.Ordinal);
    private int count;

    /// <summary>As <see cref="SigningRequest.Read"/>. What is no good is not remembered: it is cheap to say and must not push out what is.</summary>
    public SigningRequest? Read(string? pem)
    {
        if (string.IsNullOrEmpty(pem) || pem.Length > SigningRequest.LongestPem)
            return null;
        var digest = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(pem)));
        if (good.TryGetValue(digest, out var known))
            return known;
        if (SigningRequest.Read(pem) is not { } read)
            return null;
        if (good.TryAdd(digest, read) && Interlocked.Increment(ref count) > capacity)
        {
            good.Clear();
            Volatile.Write(ref count, 0);
        }

        return read;
    }
}
