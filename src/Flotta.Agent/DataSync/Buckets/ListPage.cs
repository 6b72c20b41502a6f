using System.Globalization;

namespace Flotta.Agent.DataSync;

/// <summary>One answer to a list, read.</summary>
internal sealed record ListPage(IReadOnlyList<RemoteObject> Objects, string? Next)
{
    public static ListPage Read(string xml)
    {
        try
        {
            return Parse(xml);
        }
        catch (FormatException exception)
        {
            throw new S3Exception($"the server's list cannot be read: {exception.Message}");
        }
    }

    /// <summary>The text of the first element at a path.</summary>
    public static string? One(string xml, string path)
    {
        try
        {
            foreach (var (at, text) in Markup.Leaves(xml))
            {
                if (at == path)
                    return text;
            }

            return null;
        }
        catch (FormatException exception)
        {
            throw new S3Exception($"the server's answer cannot be read: {exception.Message}");
        }
    }

    private static ListPage Parse(string xml)
    {
        var objects = new List<RemoteObject>();
        string? key = null, tag = null, next = null;
        long? size = null;
        DateTimeOffset? modified = null;
        var (truncated, known) = (false, false);
        void Close()
        {
            if (key is not null && size is not null && tag is not null && modified is not null)
                objects.Add(new RemoteObject(key, size.Value, tag, modified.Value));
            (key, tag, size, modified) = (null, null, null, null);
        }

        foreach (var (path, text) in Markup.Leaves(xml))
        {
            known |= path.StartsWith("ListBucketResult/", StringComparison.Ordinal);
            switch (path)
            {
                case "ListBucketResult/Contents/Key":
                    Close();
                    key = text;
                    break;
                case "ListBucketResult/Contents/Size":
                    size = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : throw new FormatException("a size is none");
                    break;
                case "ListBucketResult/Contents/ETag":
                    tag = text.Trim('"');
                    break;
                case "ListBucketResult/Contents/LastModified":
                    modified = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : throw new FormatException("a time is none");
                    break;
                case "ListBucketResult/IsTruncated":
                    truncated = text == "true";
                    break;
                case "ListBucketResult/NextContinuationToken":
                    next = text;
                    break;
            }
        }

        Close();
        if (!known)
            throw new FormatException("it is no list");
        return new ListPage(objects, truncated ? next ?? throw new FormatException("it does not say how it goes on") : null);
    }
}
