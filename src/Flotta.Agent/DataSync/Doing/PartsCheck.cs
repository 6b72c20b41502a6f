namespace Flotta.Agent.DataSync;

/// <summary>
/// Compares a file with an object that was put in parts. Where each begins only the server knows; of one that does not say any content is taken to
/// be right.
/// </summary>
internal sealed class PartsCheck(S3Client bucket, RemoteObject wanted, PartsTag tag)
{
    public async Task<bool> IsRightAsync(Stream file, CancellationToken cancellationToken)
    {
        if (await bucket.PartLengthAsync(wanted, 1, cancellationToken) is not { } first || (first == wanted.Size && tag.Parts > 1))
            return true;
        // Nearly always all are alike but the last one, so that it is enough to ask for two.
        var last = wanted.Size - (first * (tag.Parts - 1));
        if ((tag.Parts == 1 || await bucket.PartLengthAsync(wanted, tag.Parts, cancellationToken) == last)
            && await MatchesAsync(file, [.. Enumerable.Repeat(first, tag.Parts - 1), last], cancellationToken))
            return true;
        var lengths = new List<long>();
        for (var number = 1; number <= tag.Parts; number++)
        {
            if (await bucket.PartLengthAsync(wanted, number, cancellationToken) is not { } length)
                return true;
            lengths.Add(length);
        }

        return lengths.Sum() != wanted.Size || await MatchesAsync(file, lengths, cancellationToken);
    }

    private async Task<bool> MatchesAsync(Stream file, IReadOnlyList<long> lengths, CancellationToken cancellationToken)
    {
        var md5s = new List<string>();
        var offset = 0L;
        foreach (var length in lengths)
        {
            md5s.Add(await Checksums.Md5Async(file, offset, length, cancellationToken));
            offset += length;
        }

        return tag.IsOf(md5s);
    }
}
