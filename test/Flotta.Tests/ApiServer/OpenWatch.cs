using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer;

/// <summary>A watch read line by line.</summary>
internal sealed class OpenWatch : IAsyncDisposable
{
    private readonly HttpResponseMessage response;
    private readonly StreamReader lines;

    private OpenWatch(HttpResponseMessage response, Stream stream)
    {
        this.response = response;
        lines = new StreamReader(stream);
    }

    public JsonObject Last { get; private set; } = [];

    public static async Task<OpenWatch> StartAsync(HttpClient http, Uri address, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return new OpenWatch(answer, await answer.Content.ReadAsStreamAsync());
    }

    /// <summary>`TYPE name`; null: the watch has ended.</summary>
    public async Task<string?> NextAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        if (await lines.ReadLineAsync(patience.Token) is not { } line)
            return null;
        Last = (JsonObject)JsonNode.Parse(line)!;
        return $"{Last["type"]} {Last["object"]!["metadata"]?["name"]}";
    }

    public ValueTask DisposeAsync()
    {
        lines.Dispose();
        response.Dispose();
        return ValueTask.CompletedTask;
    }
}
